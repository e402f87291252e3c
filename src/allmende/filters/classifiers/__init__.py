"""Models that score documents: fastText classifiers and n-gram language models, whatever files the user has."""
