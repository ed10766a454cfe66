package org.bergfried.worker.kernel;

/// Attention of grouped queries over cached rows. Absorbed MLA is the case of one key-value head whose values are the
/// first columns of its keys.
///
/// @param heads        query heads; a multiple of `kvHeads`. Query head `h` reads key-value head `h / (heads /
/// kvHeads)`.
/// @param kvHeads      key-value heads.
/// @param keyColumns   columns of a query and of a key.
/// @param valueColumns columns of a value.
/// @param keyOffset    first column of key head 0 in a cached row; key head `k` begins `k * keyColumns` further.
/// @param valueOffset  first column of value head 0 in a cached row; value head `k` begins `k * valueColumns`
///     further.
/// @param scale        multiplies each dot product.
public record AttentionShape(
        int heads, int kvHeads, int keyColumns, int valueColumns, int keyOffset, int valueOffset, float scale) {}
