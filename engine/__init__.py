"""What happens: jobs run, in turn, within quotas, and go on after a restart."""
