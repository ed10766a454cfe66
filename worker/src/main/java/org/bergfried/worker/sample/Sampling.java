package org.bergfried.worker.sample;

import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// How the next token of a sequence is drawn (DESIGN.md section 6, "Sampling").
///
/// @param temperature divides the logits, 0 to 2; 0 takes the largest.
/// @param topP        keeps the smallest set of tokens whose probability reaches it, in (0, 1]; 1 keeps all.
/// @param topK        keeps that many tokens; 0 keeps all.
/// @param minP        keeps tokens of at least that share of the largest probability, in [0, 1]; 0 keeps all.
/// @param seed        of the counter-based generator.
public record Sampling(double temperature, double topP, int topK, double minP, long seed) {
    /// Takes the largest logit.
    public static final Sampling GREEDY = new Sampling(0, 1, 0, 0, 0);

    /// Refuses what is out of range, NaN included, and names the field, the value and the range.
    public Sampling {
        require(temperature >= 0 && temperature <= 2, "temperature", temperature, "from 0 to 2");
        require(topP > 0 && topP <= 1, "top_p", topP, "above 0 and at most 1");
        require(topK >= 0, "top_k", topK, "0 (all) or more");
        require(minP >= 0 && minP <= 1, "min_p", minP, "from 0 to 1");
    }

    private static void require(boolean holds, String field, Number value, String range) {
        if (!holds) {
            throw new ClusterException(ErrorReason.INVALID_REQUEST, field + " = " + value + " must be " + range);
        }
    }
}
