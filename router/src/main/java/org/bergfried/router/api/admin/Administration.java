package org.bergfried.router.api.admin;

/// The two services, by what they are about.
///
/// @param placement where experts are, and how busy they are.
/// @param moves moving experts.
/// @param rules what plans must obey.
/// @param cluster routers and workers.
/// @param drains draining workers.
public record Administration(
        PlacementAdmin placement, MoveAdmin moves, RuleAdmin rules, ClusterAdmin cluster, DrainAdmin drains) {}
