package org.bergfried.contract.cluster;

import java.util.List;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;

/// All that determines the tokens of a generation: from this and a position, each token follows. Stored sealed.
///
/// @param generationId the id, a key of the store.
/// @param tenant whose it is; only the same tenant may resume.
/// @param modelDigest the model it is pinned to.
/// @param numericsId the arithmetic it is pinned to.
/// @param promptIds the rendered and tokenized prompt.
/// @param sampling how tokens are drawn, with the resolved seed.
/// @param stopIds ids that end the answer; empty when the end of text is ignored.
/// @param stopStrings strings at which the router cuts.
/// @param maxTokens the most tokens to generate.
/// @param chat whether the answer is parsed for reasoning and tool calls; false passes all text on as content.
/// @param toolsEnabled whether tool calls are parsed.
/// @param startsAsReasoning whether the prompt ends in an open reasoning marker.
/// @param createdMillis wall time of the start.
public record GenerationRecord(
        String generationId,
        String tenant,
        String modelDigest,
        String numericsId,
        TokenIds promptIds,
        Sampling sampling,
        TokenIds stopIds,
        List<String> stopStrings,
        int maxTokens,
        boolean chat,
        boolean toolsEnabled,
        boolean startsAsReasoning,
        long createdMillis) {

    /// How a token is drawn.
    ///
    /// @param temperature 0 takes the largest logit.
    /// @param topP the mass kept, up to 1.
    /// @param topK the number kept; 0 keeps all.
    /// @param minP the share of the largest probability below which tokens are dropped.
    /// @param seed the seed, drawn by the router where the caller gave none.
    public record Sampling(double temperature, double topP, int topK, double minP, long seed) {}

    /// Checks the bounds of every part.
    public GenerationRecord {
        Bounds.id("generationId", generationId);
        Bounds.label("tenant", tenant);
        Bounds.id("modelDigest", modelDigest);
        Bounds.id("numericsId", numericsId);
        Bounds.size("promptIds", promptIds.size(), Limits.PROMPT_TOKENS);
        Bounds.size("stopIds", stopIds.size(), Limits.STOP_IDS);
        Bounds.size("stopStrings", stopStrings.size(), Limits.STOP_STRINGS);
        stopStrings.forEach(stop -> Bounds.size("stop string", stop.length(), Limits.STOP_STRING_CHARS));
        if (maxTokens < 0 || maxTokens > Limits.ANSWER_TOKENS) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST,
                    "maxTokens = " + maxTokens + " must be from 0 to " + Limits.ANSWER_TOKENS);
        }
        stopStrings = List.copyOf(stopStrings);
    }

    /// Without prompt and stop strings, which are never logged.
    @Override
    public String toString() {
        return "GenerationRecord[" + generationId + ", tenant " + tenant + ", model " + modelDigest + ", prompt of "
                + promptIds + "]";
    }
}
