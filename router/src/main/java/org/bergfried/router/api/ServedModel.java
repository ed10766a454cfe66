package org.bergfried.router.api;

/// A model that can answer.
///
/// @param name the served name.
/// @param digest its digest.
/// @param numericsId the arithmetic in use.
/// @param contextLength most positions of prompt and answer together.
/// @param sinceMillis when this router first had it, in milliseconds since 1970.
public record ServedModel(String name, String digest, String numericsId, int contextLength, long sinceMillis) {}
