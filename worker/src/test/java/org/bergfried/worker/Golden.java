package org.bergfried.worker;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;

/// The golden models in the test resources: see golden/README.md there.
public final class Golden {
    private Golden() {}

    /// A model directory or file by name, such as `llama` or `tiny-dsv2-Q8_0.gguf`.
    public static Path path(String name) {
        URL url = Golden.class.getResource("/golden/" + name);
        if (url == null) {
            throw new IllegalArgumentException("no golden model " + name);
        }
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
