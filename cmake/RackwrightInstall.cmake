# Placeholder sections are filled by the packaging work: binaries, data, headers, export.
