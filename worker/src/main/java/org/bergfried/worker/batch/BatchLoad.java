package org.bergfried.worker.batch;

/// What a batch looked like after its last turn, and what it has done so far.
///
/// @param queued       sequences that wait for their first step.
/// @param running      sequences that hold pages or will get them back.
/// @param pagesTotal   pages of the cache.
/// @param pagesFree    pages that nobody holds.
/// @param steps        steps run.
/// @param rows         rows of all steps.
/// @param tokensDrawn  tokens drawn.
/// @param preemptions  how often a sequence gave its pages back.
/// @param turnNanos    when the loop last turned, on the batch's clock: the watchdog's timestamp.
public record BatchLoad(
        int queued,
        int running,
        int pagesTotal,
        int pagesFree,
        long steps,
        long rows,
        long tokensDrawn,
        long preemptions,
        long turnNanos) {}
