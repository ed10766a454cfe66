package org.bergfried.worker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// One of the tiny models among the test resources (see golden/README.md there), with the logits and greedy tokens
/// that it must give.
///
/// @param folder where it is.
/// @param ids    the prompt.
/// @param greedy the most likely tokens after it.
public record Golden(Path folder, int[] ids, int[] greedy) {
    /// The model of a folder.
    public static Golden read(String name) {
        Path folder = path(name);
        JsonNode tokens = json(folder.resolve("tokens.json"));
        return new Golden(folder, ints(tokens.get("input_ids")), ints(tokens.get("greedy")));
    }

    /// A model directory or file by name, such as `llama` or `tiny-dsv2-Q8_0.gguf`.
    public static Path path(String name) {
        return resource("golden/" + name);
    }

    /// The root mean square of the differences to the expected logits over that of the expected logits.
    public double relativeRms(float[][] logits) {
        return relativeRms(folder.resolve("logits.f32"), logits);
    }

    /// The same for a file of logits.
    public static double relativeRms(Path expectedLogits, float[][] logits) {
        ByteBuffer expected = ByteBuffer.wrap(bytes(expectedLogits)).order(ByteOrder.LITTLE_ENDIAN);
        double difference = 0;
        double size = 0;
        for (float[] row : logits) {
            for (float value : row) {
                double right = expected.getFloat();
                difference += (value - right) * (value - right);
                size += right * right;
            }
        }
        if (expected.hasRemaining()) {
            throw new AssertionError("logits are missing: " + expected.remaining() + " bytes");
        }
        return Math.sqrt(difference / size);
    }

    /// The same for each row of logits.
    public static double[] relativeRmsOfTokens(Path expectedLogits, float[][] logits) {
        ByteBuffer expected = ByteBuffer.wrap(bytes(expectedLogits)).order(ByteOrder.LITTLE_ENDIAN);
        double[] errors = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            double difference = 0;
            double size = 0;
            for (float value : logits[i]) {
                double right = expected.getFloat();
                difference += (value - right) * (value - right);
                size += right * right;
            }
            errors[i] = Math.sqrt(difference / size);
        }
        return errors;
    }

    /// The file or folder of a test resource.
    public static Path resource(String name) {
        URL url = Golden.class.getClassLoader().getResource(name);
        if (url == null) {
            throw new AssertionError("test resource " + name + " is missing");
        }
        return Path.of(URI.create(url.toString()));
    }

    /// A JSON file.
    public static JsonNode json(Path file) {
        return JsonMapper.shared().readTree(file);
    }

    /// A JSON array of integers.
    public static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).intValue();
        }
        return values;
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
