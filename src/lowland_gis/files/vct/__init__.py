"""The exchange format of land surveys (VCT, GB/T 17798) as files: found block by block, read and written."""
