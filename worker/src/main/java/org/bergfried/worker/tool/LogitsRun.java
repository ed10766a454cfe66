package org.bergfried.worker.tool;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.bergfried.contract.ClusterException;
import org.bergfried.contract.ErrorReason;
import org.bergfried.worker.batch.Batcher;
import org.bergfried.worker.batch.FinishReason;
import org.bergfried.worker.batch.LogitsSink;
import org.bergfried.worker.batch.SequenceListener;
import org.bergfried.worker.batch.SequenceRequest;
import org.bergfried.worker.sample.Sampling;
import org.jspecify.annotations.Nullable;

/// Runs one job on an engine that is open.
final class LogitsRun {
    private static final int[] NO_IDS = {};

    private final Batcher batcher;
    private final LogitsJob job;
    private final int vocabularySize;

    LogitsRun(Batcher batcher, LogitsJob job, int vocabularySize) {
        this.batcher = batcher;
        this.job = job;
        this.vocabularySize = vocabularySize;
    }

    /// The greedy ids; the logits are in their file when it returns.
    int[] run() {
        checkIds();
        Path out = job.out();
        if (out == null) {
            return runBesideOthers(null);
        }
        try (FileChannel file = FileChannel.open(
                out, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            var rows = new RowFile(file, vocabularySize);
            int[] greedy = runBesideOthers(rows);
            rows.throwFailure();
            return greedy;
        } catch (IOException failure) {
            throw new ClusterException(
                    ErrorReason.INVALID_REQUEST, "out = " + out + " cannot be written: " + failure, failure);
        }
    }

    private void checkIds() {
        for (int i = 0; i < job.tokens().length; i++) {
            if (job.tokens()[i] >= vocabularySize) {
                throw new ClusterException(
                        ErrorReason.INVALID_REQUEST,
                        "tokens[" + i + "] = " + job.tokens()[i] + " must be below the vocabulary size "
                                + vocabularySize);
            }
        }
    }

    private int[] runBesideOthers(@Nullable LogitsSink sink) {
        List<Batcher.Handle> others = new ArrayList<>();
        List<Answer> ends = new ArrayList<>();
        try {
            for (int other = 1; other < job.batch(); other++) {
                var end = new Answer();
                ends.add(end);
                others.add(batcher.submit(other(other), end));
            }
            var answer = new Answer();
            batcher.submit(
                    new SequenceRequest(
                            "logits",
                            job.tokens(),
                            NO_IDS,
                            Sampling.GREEDY,
                            NO_IDS,
                            Math.max(1, job.greedy()),
                            Long.MAX_VALUE,
                            job.chunk(),
                            sink),
                    answer);
            return answer.await(job.greedy());
        } finally {
            others.forEach(Batcher.Handle::cancel);
            ends.forEach(Answer::awaitEnd);
        }
    }

    /// A sequence of another length and sampling, the same in every run.
    private SequenceRequest other(int number) {
        var random = new SplittableRandom(number);
        int length = 1 + (29 * number) % job.tokens().length;
        int[] prompt = random.ints(length, 0, vocabularySize).toArray();
        var sampling = new Sampling(0.5 + 0.1 * (number % 10), 0.9, number % 3 == 0 ? 20 : 0, 0.01, number);
        int tokensMax = Math.max(1, job.tokens().length + job.greedy() - length);
        return new SequenceRequest(
                "other" + number, prompt, NO_IDS, sampling, NO_IDS, tokensMax, Long.MAX_VALUE, job.chunk(), null);
    }

    /// Collects the tokens of a sequence.
    private static final class Answer implements SequenceListener {
        private final List<Integer> ids = new ArrayList<>();
        private final CompletableFuture<List<Integer>> done = new CompletableFuture<>();

        @Override
        public void token(int position, int id) {
            ids.add(id);
        }

        @Override
        public void finished(FinishReason reason, int tokenCount) {
            done.complete(ids);
        }

        @Override
        public void failed(ClusterException error) {
            done.completeExceptionally(error);
        }

        int[] await(int count) {
            try {
                return done.join().stream()
                        .mapToInt(Integer::intValue)
                        .limit(count)
                        .toArray();
            } catch (CompletionException failure) {
                if (failure.getCause() instanceof ClusterException known) {
                    throw known;
                }
                throw failure;
            }
        }

        void awaitEnd() {
            done.handle((ids, failure) -> ids).join();
        }
    }

    /// Writes rows of logits to their place in a file. Called by the step loop, which an error of the disk must not
    /// end: it is kept for later.
    private static final class RowFile implements LogitsSink {
        private final FileChannel file;
        private final long rowBytes;
        private volatile @Nullable IOException failure;

        RowFile(FileChannel file, int vocabularySize) {
            this.file = file;
            rowBytes = (long) vocabularySize * Float.BYTES;
        }

        @Override
        public void accept(int position, int count, MemorySegment logits) {
            try {
                for (int row = 0; row < count; row++) {
                    var bytes = logits.asSlice(row * rowBytes, rowBytes).asByteBuffer();
                    long at = (position + row) * rowBytes;
                    while (bytes.hasRemaining()) {
                        at += file.write(bytes, at);
                    }
                }
            } catch (IOException broken) {
                failure = broken;
            }
        }

        void throwFailure() throws IOException {
            if (failure != null) {
                throw failure;
            }
        }
    }
}
