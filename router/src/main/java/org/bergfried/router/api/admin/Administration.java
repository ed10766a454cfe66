package org.bergfried.router.api.admin;

/// The two services.
///
/// @param placement where experts are, and moving them.
/// @param cluster routers and workers.
public record Administration(PlacementAdmin placement, ClusterAdmin cluster) {}
