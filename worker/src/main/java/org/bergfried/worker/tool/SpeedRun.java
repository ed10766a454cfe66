package org.bergfried.worker.tool;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.bergfried.contract.Clock;
import org.bergfried.contract.ClusterException;
import org.bergfried.worker.batch.Batcher;
import org.bergfried.worker.batch.FinishReason;
import org.bergfried.worker.batch.SequenceListener;
import org.bergfried.worker.batch.SequenceRequest;
import org.bergfried.worker.kernel.choice.BackendChoice;
import org.bergfried.worker.model.Model;
import org.bergfried.worker.model.ModelDescription;
import org.bergfried.worker.model.Models;
import org.bergfried.worker.sample.Sampling;

/// Times the engine on one model: how long a prompt takes, how fast streams go on. It uses the step loop of serving,
/// so its figures contain batching, dispatch and sampling.
public final class SpeedRun implements AutoCloseable {
    private static final int PROMPT_TOKENS = 16; // of a stream whose decoding is timed
    private static final int[] NO_IDS = {};

    private final Clock clock;
    private final Model model;
    private final LogitsEngine engine;
    private final ModelDescription description;
    private final double loadSeconds;
    private final SplittableRandom random = new SplittableRandom(1);

    /// Opens a model and makes its weights resident.
    ///
    /// @param file      a directory with safetensors, or a .gguf file.
    /// @param backend   `auto` or a backend's name.
    /// @param threads   compute threads; 0 for all that may be used.
    /// @param positions most of a sequence, prompt and answer together.
    /// @param streams   most at a time.
    /// @throws ClusterException if the model cannot be opened or does not fit the memory.
    public SpeedRun(Path file, String backend, int threads, int positions, int streams, Clock clock) {
        this.clock = clock;
        long begin = clock.nanoTime();
        model = Models.open(file);
        try {
            var room = new LogitsEngine.Room(positions + streams, positions, streams);
            engine = new LogitsEngine(
                    model, new LogitsEngine.Form(BackendChoice.of(backend, threads), 0, positions, room), clock);
            description = ModelDescription.of(model);
        } catch (RuntimeException failure) {
            model.close();
            throw failure;
        }
        loadSeconds = seconds(begin, clock.nanoTime());
    }

    /// Backend and threads, for people.
    public String description() {
        return engine.description();
    }

    /// What was opened.
    public ModelDescription model() {
        return description;
    }

    /// From nothing to an engine with all weights in memory.
    public double loadSeconds() {
        return loadSeconds;
    }

    /// Seconds from handing in a prompt of so many random tokens to its first token: prefill, head and one draw.
    public double firstTokenSeconds(int tokens) {
        long begin = clock.nanoTime();
        var stream = submit(tokens, 1);
        stream.await();
        return seconds(begin, stream.times()[0]);
    }

    /// Tokens per second of all streams together, while all of them decode.
    ///
    /// @param streams how many at a time.
    /// @param tokens  of each, at least 2.
    public double decodeRate(int streams, int tokens) {
        List<Stream> all = new ArrayList<>();
        for (int i = 0; i < streams; i++) {
            all.add(submit(PROMPT_TOKENS, tokens));
        }
        all.forEach(Stream::await);
        long begin = all.stream().mapToLong(stream -> stream.times()[0]).max().orElseThrow();
        long end = all.stream()
                .mapToLong(stream -> stream.times()[tokens - 1])
                .min()
                .orElseThrow();
        long drawn = all.stream()
                .flatMapToLong(stream -> Arrays.stream(stream.times()))
                .filter(time -> time > begin && time <= end)
                .count();
        return drawn / seconds(begin, end);
    }

    @Override
    public void close() {
        engine.close();
        model.close();
    }

    private Stream submit(int promptTokens, int tokens) {
        int[] prompt = random.ints(promptTokens, 0, description.spec().vocabularySize())
                .toArray();
        var sampling = new Sampling(1, 1, 40, 0, random.nextLong());
        var stream = new Stream(tokens);
        Batcher batcher = engine.batcher();
        batcher.submit(SequenceRequest.of("bench", prompt, sampling, NO_IDS, tokens), stream);
        return stream;
    }

    private static double seconds(long begin, long end) {
        return (end - begin) / 1e9;
    }

    /// When each token of a stream came.
    private final class Stream implements SequenceListener {
        private final long[] times; // [tokens], nanoseconds
        private final CompletableFuture<Integer> done = new CompletableFuture<>();

        Stream(int tokens) {
            times = new long[tokens];
        }

        @Override
        public void token(int position, int id) {
            times[position] = clock.nanoTime();
        }

        @Override
        public void finished(FinishReason reason, int tokenCount) {
            done.complete(tokenCount);
        }

        @Override
        public void failed(ClusterException error) {
            done.completeExceptionally(error);
        }

        long[] times() {
            return times;
        }

        void await() {
            try {
                done.join();
            } catch (CompletionException failure) {
                if (failure.getCause() instanceof ClusterException known) {
                    throw known;
                }
                throw failure;
            }
        }
    }
}
