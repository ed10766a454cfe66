package org.bergfried.worker.kernel.foreign;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandleProxies;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;

/// Turns a C function into an object of an interface with one method whose types say the function's signature: `int`,
/// `long` (also for addresses) and `float`. A call allocates nothing.
final class Downcalls {
    private Downcalls() {}

    /// A function that may take long: the garbage collector does not wait for it.
    static <T> T bind(MemorySegment function, Class<T> shape) {
        return bind(function, shape, new Linker.Option[0]);
    }

    /// A function that takes some microseconds at most, called without telling the garbage collector.
    static <T> T bindShort(MemorySegment function, Class<T> shape) {
        return bind(function, shape, new Linker.Option[] {Linker.Option.critical(false)});
    }

    @SuppressWarnings("restricted") // the functions are those of the library that was verified
    private static <T> T bind(MemorySegment function, Class<T> shape, Linker.Option[] options) {
        Method method = Arrays.stream(shape.getMethods())
                .filter(each -> Modifier.isAbstract(each.getModifiers()))
                .findFirst()
                .orElseThrow();
        MemoryLayout[] arguments =
                Arrays.stream(method.getParameterTypes()).map(Downcalls::layout).toArray(MemoryLayout[]::new);
        FunctionDescriptor descriptor = method.getReturnType() == void.class
                ? FunctionDescriptor.ofVoid(arguments)
                : FunctionDescriptor.of(layout(method.getReturnType()), arguments);
        return MethodHandleProxies.asInterfaceInstance(
                shape, Linker.nativeLinker().downcallHandle(function, descriptor, options));
    }

    private static MemoryLayout layout(Class<?> type) {
        if (type == int.class) {
            return ValueLayout.JAVA_INT;
        } else if (type == long.class) {
            return ValueLayout.JAVA_LONG;
        } else if (type == float.class) {
            return ValueLayout.JAVA_FLOAT;
        }
        throw new IllegalArgumentException(type + " in the signature of a C function");
    }
}
