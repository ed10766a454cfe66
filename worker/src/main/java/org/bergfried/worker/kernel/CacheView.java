package org.bergfried.worker.kernel;

import org.bergfried.worker.tensor.Buffer;

/// One layer of the paged cache as the rows of a step see it. The cached row of position `p` of the sequence of row
/// `i`
/// begins at element
/// `layerOffset + (pageTables[sequenceOfRow[i] * pagesPerSequence + p / pageRows] * pageStride) + (p % pageRows) *
/// rowStride`.
///
/// @param cache            float32 pages.
/// @param layerOffset      element where this layer begins inside a page.
/// @param pageStride       elements from one page to the next.
/// @param rowStride        elements from one cached row to the next.
/// @param pageRows         positions in a page.
/// @param pageTables       int32 `[sequences, pagesPerSequence]`.
/// @param pagesPerSequence row length of the page tables.
/// @param sequenceOfRow    int32 `[n]`, an index into the page tables.
/// @param positions        int32 `[n]`, each row's own position: the last that it sees.
/// @param positionMax      the largest of them, known to the host (scratch memory is sized by it).
public record CacheView(
        Buffer cache,
        long layerOffset,
        long pageStride,
        int rowStride,
        int pageRows,
        Buffer pageTables,
        int pagesPerSequence,
        Buffer sequenceOfRow,
        Buffer positions,
        int positionMax) {}
