"""What happens to a dataset after it was published: take-downs, re-checks, verification."""
