package org.bergfried.worker.api;

import java.util.List;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.contract.Limits;
import org.bergfried.proto.engine.v1.GenerateRequest;
import org.bergfried.worker.batch.SequenceRequest;
import org.bergfried.worker.sample.Sampling;

/// Checks requests and turns them into sequences. Every refusal names the field, its value and the limit.
final class GenerateRequests {
    private final Identity identity;
    private final Clock clock;

    GenerateRequests(Identity identity, Clock clock) {
        this.identity = identity;
        this.clock = clock;
    }

    /// What requests are checked against.
    ///
    /// @param modelDigest    of the model that is served.
    /// @param numericsId     the arithmetic.
    /// @param vocabularySize ids are below it.
    record Identity(String modelDigest, String numericsId, int vocabularySize) {}

    SequenceRequest read(GenerateRequest request) {
        require(
                request.getGenerationId().matches("[0-9a-f]{32}"),
                "generation_id must have 32 lowercase hexadecimal digits; it has "
                        + request.getGenerationId().length() + " characters");
        require(request.getAttempt() != 0, "attempt = 0 must be at least 1");
        checkModel(request);
        require(request.hasSampling(), "sampling is missing; set temperature, top_p and seed");
        checkCounts(request);
        return new SequenceRequest(
                request.getGenerationId(),
                ids("prompt_ids", request.getPromptIdsList()),
                ids("known_ids", request.getKnownIdsList()),
                sampling(request.getSampling()),
                request.getStopIdsList().stream().mapToInt(Integer::intValue).toArray(),
                request.getMaxTokens(),
                deadlineNanos(request.getDeadlineMillis()),
                0,
                null);
    }

    private void checkModel(GenerateRequest request) {
        if (!request.getModelDigest().equals(identity.modelDigest())) {
            throw notFound("model_digest = " + request.getModelDigest(), identity.modelDigest());
        }
        if (!request.getNumericsId().isEmpty() && !request.getNumericsId().equals(identity.numericsId())) {
            throw notFound("numerics_id = " + request.getNumericsId(), identity.numericsId());
        }
    }

    private static void checkCounts(GenerateRequest request) {
        limit("prompt_ids", request.getPromptIdsCount(), Limits.PROMPT_TOKENS);
        limit("known_ids", request.getKnownIdsCount(), Limits.ANSWER_TOKENS);
        limit("stop_ids", request.getStopIdsCount(), Limits.STOP_IDS);
        long tokensMax = Integer.toUnsignedLong(request.getMaxTokens());
        require(
                tokensMax >= 1 && tokensMax <= Limits.ANSWER_TOKENS,
                "max_tokens = " + tokensMax + " must be from 1 to " + Limits.ANSWER_TOKENS);
        require(
                request.getDeadlineMillis() >= 0,
                "deadline_millis = " + request.getDeadlineMillis() + " must be 0 or more");
    }

    private static Sampling sampling(org.bergfried.proto.engine.v1.Sampling sent) {
        int topK = sent.getTopK() < 0 ? Integer.MAX_VALUE : sent.getTopK(); // 2^31 and more keep all of any vocabulary
        return new Sampling(sent.getTemperature(), sent.getTopP(), topK, sent.getMinP(), sent.getSeed());
    }

    private int[] ids(String field, List<Integer> sent) {
        int[] ids = new int[sent.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = sent.get(i);
            require(
                    Integer.compareUnsigned(ids[i], identity.vocabularySize()) < 0,
                    field + "[" + i + "] = " + Integer.toUnsignedLong(ids[i]) + " must be below the vocabulary size "
                            + identity.vocabularySize());
        }
        return ids;
    }

    private long deadlineNanos(long millis) {
        long nanosLeft = Long.MAX_VALUE / 4; // about 73 years: never
        return millis == 0 ? Long.MAX_VALUE : clock.nanoTime() + Math.min(nanosLeft, saturatedNanos(millis));
    }

    private static long saturatedNanos(long millis) {
        return millis > Long.MAX_VALUE / 1_000_000 ? Long.MAX_VALUE : millis * 1_000_000;
    }

    private static void limit(String field, int count, int countMax) {
        require(count <= countMax, field + " has " + count + " ids; the limit is " + countMax);
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new ClusterException(ErrorReason.INVALID_REQUEST, message);
        }
    }

    private static ClusterException notFound(String sent, String served) {
        return new ClusterException(
                ErrorReason.MODEL_NOT_FOUND, sent + " is not served here; this worker has " + served);
    }
}
