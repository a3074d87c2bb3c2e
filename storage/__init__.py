"""What is stored: jobs, results, and the files of pictures."""
