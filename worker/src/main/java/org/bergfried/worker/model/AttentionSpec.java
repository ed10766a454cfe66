package org.bergfried.worker.model;

/// The attention of a model.
public sealed interface AttentionSpec {
    /// Query heads.
    int heads();

    /// float32 elements that one position of one layer takes in the cache.
    int cacheColumns();

    /// Multiplies each dot product of query and key (ARITHMETIC.md rule G, "Scores").
    float scale();

    /// Grouped-query attention.
    ///
    /// @param heads       query heads.
    /// @param kvHeads     key-value heads.
    /// @param headColumns columns of a query, key and value head.
    /// @param scale       see above.
    /// @param turnsFirst  whether RoPE comes before the norms of queries and keys.
    record Grouped(int heads, int kvHeads, int headColumns, float scale, boolean turnsFirst) implements AttentionSpec {
        /// Norms, if any, come before RoPE.
        public Grouped(int heads, int kvHeads, int headColumns, float scale) {
            this(heads, kvHeads, headColumns, scale, false);
        }

        /// A cached row is the keys of all heads, then their values.
        @Override
        public int cacheColumns() {
            return 2 * kvHeads * headColumns;
        }
    }

    /// Multi-head latent attention (DeepSeek-V2, section 2.1), computed absorbed.
    ///
    /// @param heads        query heads.
    /// @param queryRank    columns of the compressed query; 0 if queries are not compressed.
    /// @param kvRank       columns of the latent.
    /// @param nopeColumns  columns of a head without RoPE.
    /// @param ropeColumns  columns with RoPE, shared by all heads on the key's side.
    /// @param valueColumns columns of a value head.
    /// @param scale        see above.
    record Latent(int heads, int queryRank, int kvRank, int nopeColumns, int ropeColumns, int valueColumns, float scale)
            implements AttentionSpec {
        /// A cached row is the latent after its norm, then the rotated key.
        @Override
        public int cacheColumns() {
            return kvRank + ropeColumns;
        }
    }
}
