"""What holds for any history, tried on random ones."""
