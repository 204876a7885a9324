"""What the words of the field mean and what follows from them: plain Python, no input or output, no clock."""
