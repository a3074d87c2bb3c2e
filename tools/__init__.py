"""What makes the data under `assets/`, and installs what the app needs."""
