"""Stand-ins of the hosted providers, written from their pages: ASGI apps on a real socket.

They refuse what the real ones refuse, unknown fields and missing ones included, so that a wrong request fails loudly.
"""
