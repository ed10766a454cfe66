package org.bergfried.worker.kernel.foreign;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The library of kernels in C, loaded once for the process: what it can run here, or why it cannot be used.
///
/// It is the one that a compiler builds here, if [LibrarySettings] allow it and there is one; else the checked-in
/// one, whose digest is verified; else there is none, and the kernels in Java are taken.
public final class NativeLibrary {
    /// What `bergfried_interface` of `library.c` must return.
    private static final int INTERFACE = 2;

    /// A system property: the library file to load instead of the checked-in one, which nobody verifies.
    static final String CHOSEN_FILE = "bergfried.native.library";

    private static @Nullable NativeLibrary opened;

    private final @Nullable SymbolLookup symbols;
    private final List<Variant> variants; // that this processor can run, the best first
    private final String description;

    private NativeLibrary(@Nullable SymbolLookup symbols, List<Variant> variants, String description) {
        this.symbols = symbols;
        this.variants = variants;
        this.description = description;
    }

    /// Loads the library, unless it is loaded: a process has one. Building it may take some seconds. Without this
    /// call the checked-in library is loaded when it is first needed.
    public static void open(LibrarySettings settings) {
        instance(settings);
    }

    /// The variants that this machine can run, the best first; none if the library cannot be used.
    public static List<Variant> variants() {
        return instance(LibrarySettings.shipped()).variants;
    }

    /// Which library with which variant is in use and why, or why there is none: one line, for reports and the log.
    public static String describe() {
        return instance(LibrarySettings.shipped()).description;
    }

    /// The address of a function of the library, which must be usable.
    static MemorySegment function(String name) {
        NativeLibrary library = instance(LibrarySettings.shipped());
        return Objects.requireNonNull(library.symbols, library.description)
                .find(name)
                .orElseThrow(() -> new IllegalStateException("the library of kernels has no " + name));
    }

    private static synchronized NativeLibrary instance(LibrarySettings settings) {
        NativeLibrary known = opened;
        if (known == null) {
            known = load(settings);
            opened = known;
        }
        return known;
    }

    private static NativeLibrary load(LibrarySettings settings) {
        String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch", "");
        if (!system.equals("linux") || !processor.equals("amd64")) {
            return unusable("no library for " + system + " on " + processor + ", only for " + NativeFile.PLATFORM);
        }
        try {
            String chosen = System.getProperty(CHOSEN_FILE);
            if (chosen != null) {
                return usable(NativeFile.load(Path.of(chosen)), "library " + chosen + ", chosen by " + CHOSEN_FILE);
            }
            return settings.build() == LibrarySettings.Build.NEVER ? shipped("") : builtOrShipped(settings);
        } catch (IOException e) {
            return unusable(reason(e));
        }
    }

    private static NativeLibrary builtOrShipped(LibrarySettings settings) throws IOException {
        try {
            var build = new NativeBuild(settings.directory(), NativeSources.shipped(), "cc", NativeBuild.LIMIT);
            NativeFile file = settings.build() == LibrarySettings.Build.AUTO ? build.library() : build.found();
            return file == null
                    ? shipped("; none built in " + settings.directory())
                    : usable(file.load(), "library built here by cc, in " + build.home());
        } catch (IOException e) {
            return shipped("; not built here: " + reason(e));
        }
    }

    private static NativeLibrary shipped(String why) throws IOException {
        var file = NativeFile.shipped();
        return usable(file.load(), "library shipped, SHA-256 " + file.digest().substring(0, 12) + why);
    }

    private static String reason(IOException e) {
        return e instanceof FileSystemException ? e.toString() : String.valueOf(e.getMessage());
    }

    private static NativeLibrary usable(SymbolLookup symbols, String origin) {
        int found = Functions.interfaceOf(symbols);
        if (found != INTERFACE) {
            return unusable("the library has interface " + found + ", not " + INTERFACE);
        }
        var variants = new ArrayList<Variant>();
        for (Variant variant : List.of(Variant.values()).reversed()) {
            if (Functions.supports(symbols, variant)) {
                variants.add(variant);
            }
        }
        return variants.isEmpty()
                ? unusable("this processor has no AVX2 with FMA")
                : new NativeLibrary(
                        symbols, List.copyOf(variants), variants.getFirst().title() + "; " + origin);
    }

    private static NativeLibrary unusable(String reason) {
        return new NativeLibrary(null, List.of(), "unusable: " + reason);
    }

    /// The two functions that are called before anything is known about the library.
    private static final class Functions {
        private Functions() {}

        static int interfaceOf(SymbolLookup symbols) {
            return Downcalls.bind(symbols.findOrThrow("bergfried_interface"), Answer.class)
                    .call();
        }

        static boolean supports(SymbolLookup symbols, Variant variant) {
            return Downcalls.bind(symbols.findOrThrow("bergfried_supports"), Question.class)
                            .call(variant.number())
                    != 0;
        }
    }

    /// A function without arguments.
    public interface Answer {
        /// Calls it.
        int call();
    }

    /// A function of a number.
    public interface Question {
        /// Calls it.
        int call(int number);
    }
}
