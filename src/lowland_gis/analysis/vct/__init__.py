"""The national exchange format of land surveys (VCT, GB/T 17798) out of its text: pure, no file."""
