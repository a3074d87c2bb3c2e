"""HTTP from this app to elsewhere: a provider's API, and addresses that strangers give."""
