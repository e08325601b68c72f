"""The package for the city bureau: layers, dictionary, manifest, check."""
