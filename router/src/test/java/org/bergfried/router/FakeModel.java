package org.bergfried.router;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Set;
import java.util.SplittableRandom;
import org.bergfried.proto.engine.v1.GenerateRequest;
import org.bergfried.proto.engine.v1.ModelCard;
import org.bergfried.router.chat.Tokenizer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The demo model without its weights: tokenizer and template are the real ones, and each token follows from
/// (request, position), as it would from a real engine. With temperature 0 it reasons, answers and ends; after its
/// end, and at other temperatures, it goes on with tokens that the seed determines.
final class FakeModel {
    static final String DIGEST = "d".repeat(64);
    static final String NUMERICS = "b1-f32-d";
    static final String REASONING = "I need the capital of Kenya. Its capital is Nairobi.";
    static final String CONTENT = "The capital of Kenya is Nairobi.";
    private static final int END = 1;
    private static final int END_OF_THINKING = 6;
    private static final int FIRST_ORDINARY = 300; // beyond special tokens and single bytes

    private final byte[] tokenizerJson = resource("tokenizer.json");
    private final Tokenizer tokenizer = Tokenizer.of(tokenizerJson);
    private final int[] script = script();

    ModelCard card() {
        JsonNode config = JsonMapper.shared().readTree(resource("tokenizer_config.json"));
        return ModelCard.newBuilder()
                .setName("bergfried-demo")
                .setDigest(DIGEST)
                .setNumericsId(NUMERICS)
                .setTokenizerJson(ByteString.copyFrom(tokenizerJson))
                .setChatTemplate(config.get("chat_template").stringValue())
                .putTokenVariables("bos_token", config.get("bos_token").stringValue())
                .putTokenVariables("eos_token", config.get("eos_token").stringValue())
                .addStopIds(END)
                .setContextLength(2048)
                .setVocabularySize(3072)
                .build();
    }

    /// The token of a position.
    int tokenAt(GenerateRequest request, int position) {
        boolean isScripted = request.getSampling().getTemperature() == 0 && position < script.length;
        if (isScripted) {
            return script[position];
        }
        long seed = request.getSampling().getSeed();
        return FIRST_ORDINARY + new SplittableRandom(seed * 1_000_003 + position).nextInt(2000);
    }

    /// How many tokens the scripted answer has, its end included.
    int scriptLength() {
        return script.length;
    }

    Set<Integer> stopIds() {
        return Set.of(END);
    }

    private int[] script() {
        int[] reasoning = tokenizer.encode(REASONING);
        int[] content = tokenizer.encode(CONTENT);
        int[] ids = new int[reasoning.length + content.length + 2];
        System.arraycopy(reasoning, 0, ids, 0, reasoning.length);
        ids[reasoning.length] = END_OF_THINKING;
        System.arraycopy(content, 0, ids, reasoning.length + 1, content.length);
        ids[ids.length - 1] = END;
        return ids;
    }

    private static byte[] resource(String name) {
        try (InputStream in = FakeModel.class.getResourceAsStream("/org/bergfried/router/chat/" + name)) {
            if (in == null) {
                throw new IllegalStateException("no test resource " + name);
            }
            return in.readAllBytes();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
