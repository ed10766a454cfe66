package org.bergfried.worker.machine;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandleProxies;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The functions of the C library that are needed; none of them on other systems than Linux.
final class LibC {
    private static final @Nullable LibC INSTANCE = open();

    private final Advise advise;
    private final PageSize pageSize;
    private final SetAffinity setAffinity;

    /// `madvise`.
    public interface Advise {
        int call(long address, long bytes, int advice);
    }

    /// `getpagesize`.
    public interface PageSize {
        int call();
    }

    /// `sched_setaffinity`.
    public interface SetAffinity {
        int call(int thread, long maskBytes, long maskAddress);
    }

    private LibC(Advise advise, PageSize pageSize, SetAffinity setAffinity) {
        this.advise = advise;
        this.pageSize = pageSize;
        this.setAffinity = setAffinity;
    }

    static Optional<LibC> ofLinux() {
        return Optional.ofNullable(INSTANCE);
    }

    Advise advise() {
        return advise;
    }

    PageSize pageSize() {
        return pageSize;
    }

    SetAffinity setAffinity() {
        return setAffinity;
    }

    private static @Nullable LibC open() {
        if (!System.getProperty("os.name", "").toLowerCase(Locale.ROOT).equals("linux")) {
            return null;
        }
        MemoryLayout number = ValueLayout.JAVA_INT;
        MemoryLayout address = ValueLayout.JAVA_LONG;
        return new LibC(
                bind("madvise", Advise.class, address, address, number),
                bind("getpagesize", PageSize.class),
                bind("sched_setaffinity", SetAffinity.class, number, address, address));
    }

    @SuppressWarnings("restricted") // the signatures are those of the C library
    private static <T> T bind(String name, Class<T> shape, MemoryLayout... arguments) {
        Linker linker = Linker.nativeLinker();
        var function = linker.defaultLookup().findOrThrow(name);
        var descriptor = FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments);
        return MethodHandleProxies.asInterfaceInstance(shape, linker.downcallHandle(function, descriptor));
    }
}
