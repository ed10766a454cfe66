package org.bergfried.ops.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// OpenAI's own Java client against the running product.
@ExtendWith(SharedCluster.class)
final class OpenAiClientTest {
    private static OpenAIClient client(RunningCluster cluster) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(cluster.url() + "/v1")
                .apiKey("none")
                .build();
    }

    private static ChatCompletionCreateParams question(RunningCluster cluster) {
        return ChatCompletionCreateParams.builder()
                .model(cluster.model())
                .addUserMessage("What is the capital of Kenya?")
                .temperature(0.0)
                .build();
    }

    @Test
    void chats(RunningCluster cluster) {
        ChatCompletion answer = client(cluster).chat().completions().create(question(cluster));
        assertEquals(
                "The capital of Kenya is Nairobi.",
                answer.choices().getFirst().message().content().orElseThrow());
        assertEquals("stop", answer.choices().getFirst().finishReason().toString());
        assertTrue(answer.usage().orElseThrow().completionTokens() > 10);
    }

    @Test
    void streams(RunningCluster cluster) {
        var text = new StringBuilder();
        try (StreamResponse<ChatCompletionChunk> stream =
                client(cluster).chat().completions().createStreaming(question(cluster))) {
            stream.stream()
                    .flatMap(chunk -> chunk.choices().stream())
                    .flatMap(choice -> choice.delta().content().stream())
                    .forEach(text::append);
        }
        assertEquals("The capital of Kenya is Nairobi.", text.toString());
    }

    @Test
    void listsModels(RunningCluster cluster) {
        assertEquals(
                cluster.model(),
                client(cluster).models().list().data().getFirst().id());
    }
}
