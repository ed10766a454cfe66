package org.bergfried.router.placement.live;

/// How busy a home is.
///
/// @param queued sequences that wait for their first step.
/// @param running sequences in the batch.
/// @param pagesTotal pages of the cache in all.
/// @param pagesFree pages of the cache that are free.
/// @param placementEpoch the placement epoch that it has seen.
public record HomeState(int queued, int running, int pagesTotal, int pagesFree, long placementEpoch) {}
