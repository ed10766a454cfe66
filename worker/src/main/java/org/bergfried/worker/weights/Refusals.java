package org.bergfried.worker.weights;

import java.nio.file.Path;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;

/// The two ways in which a model file is refused. Messages name the file first.
public final class Refusals {
    private static final int SHOWN_CHARS = 120;

    private Refusals() {}

    /// The file contradicts itself or its format: it was cut off or changed.
    public static ClusterException corrupt(Path file, String what) {
        return new ClusterException(ErrorReason.WEIGHTS_CORRUPT, file + ": " + what);
    }

    /// The file is sound, but something in it that changes numbers is not understood.
    public static ClusterException unsupported(Path file, String what) {
        return new ClusterException(ErrorReason.MODEL_UNSUPPORTED, file + ": " + what);
    }

    /// Text from a file as a message may show it: cut at 120 characters, without control characters.
    public static String shown(String text) {
        String cut = text.length() <= SHOWN_CHARS ? text : text.substring(0, SHOWN_CHARS) + "...";
        return cut.codePoints()
                .map(c -> Character.isISOControl(c) ? '?' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }
}
