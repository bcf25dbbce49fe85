"""What is posted, a file a subject: each body knows how to become what the services take."""
