"""What layers, rules, codes and packages are, as data beside this package, and the reader of that data."""
