package org.bergfried.worker.kernel.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A kernel's name and the kinds of its parameters, as its PTX declares them.
///
/// @param name  of the entry.
/// @param kinds of the parameters, in order.
record KernelSignature(String name, List<Kind> kinds) {
    private static final Pattern ENTRY = Pattern.compile("\\.visible \\.entry (\\w+)\\(([^)]*)\\)");
    private static final Pattern PARAMETER = Pattern.compile("\\.param \\.(\\w+) \\w+");

    KernelSignature {
        kinds = List.copyOf(kinds);
    }

    /// What a parameter is.
    enum Kind {
        /// An address or an integer of 64 bits.
        WIDE,
        /// An integer of 32 bits.
        INTEGER,
        /// A binary32.
        FLOAT;

        private static Kind of(String ptxType) {
            return switch (ptxType) {
                case "u64", "s64", "b64" -> WIDE;
                case "u32", "s32", "b32" -> INTEGER;
                case "f32" -> FLOAT;
                default -> throw new IllegalArgumentException("a kernel's parameter of type " + ptxType);
            };
        }
    }

    /// All kernels of a PTX text.
    static List<KernelSignature> parse(String ptx) {
        var signatures = new ArrayList<KernelSignature>();
        Matcher entry = ENTRY.matcher(ptx);
        while (entry.find()) {
            var kinds = new ArrayList<Kind>();
            Matcher parameter = PARAMETER.matcher(entry.group(2));
            while (parameter.find()) {
                kinds.add(Kind.of(parameter.group(1)));
            }
            signatures.add(new KernelSignature(entry.group(1), kinds));
        }
        return signatures;
    }
}
