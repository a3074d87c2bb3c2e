"""The code that makes a result again: in curl, Python and JavaScript, at its provider or through this app's API."""
