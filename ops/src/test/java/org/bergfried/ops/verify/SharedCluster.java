package org.bergfried.ops.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/// One cluster of two workers for all test classes that do not disturb it; stopped at the end of the run.
final class SharedCluster implements BeforeAllCallback, ParameterResolver {
    private static final Namespace NAMESPACE = Namespace.create(SharedCluster.class);

    private record Holder(RunningCluster cluster) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            cluster.close();
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        RunningCluster.launcher(); // aborts here, once for each class, where there is none
        holder(context);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == RunningCluster.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return holder(context).cluster();
    }

    private static Holder holder(ExtensionContext context) {
        return context.getRoot().getStore(NAMESPACE).computeIfAbsent(Holder.class, key -> create(), Holder.class);
    }

    private static Holder create() {
        try {
            Path data = Files.createTempDirectory("bergfried");
            return new Holder(RunningCluster.start(data, 2));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
