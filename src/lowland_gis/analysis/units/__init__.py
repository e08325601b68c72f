"""Redevelopment units (再开发单元): neighbours, search, value, outline and edits."""
