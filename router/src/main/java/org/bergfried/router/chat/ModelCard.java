package org.bergfried.router.chat;

import java.util.Map;

/// What a router has to know about a model to talk to it, as a worker describes it. Kept by digest.
///
/// @param name the served name
/// @param digest modelDigest
/// @param numericsId names the arithmetic
/// @param tokenizerJson tokenizer.json in Hugging Face's form
/// @param chatTemplate the chat template; empty if the model has none
/// @param tokenVariables what templates know as `bos_token`, `eos_token` and so on
/// @param stopIds tokens that end an answer
/// @param contextLength most tokens of prompt and answer together
/// @param vocabularySize ids below this can be produced
@SuppressWarnings("ArrayRecordComponent") // Read once by ChatModel; nobody compares cards but by digest.
public record ModelCard(
        String name,
        String digest,
        String numericsId,
        byte[] tokenizerJson,
        String chatTemplate,
        Map<String, String> tokenVariables,
        int[] stopIds,
        int contextLength,
        int vocabularySize) {}
