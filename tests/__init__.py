"""The tests, one folder per kind; CONTRIBUTING.md says what each kind is for."""
