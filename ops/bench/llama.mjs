// The peer of `ops/bergfried bench --against llama.cpp`: loads a GGUF file with a prebuilt llama.cpp and answers a line of JSON with a line of JSON.
// Started with the model, the number of threads, the most positions of a sequence and the most streams; node-llama-cpp is found through BENCH_MODULES.
//   {"firstToken": n}                 -> {"seconds": s}    a prompt of n random tokens until its first token
//   {"decode": streams, "tokens": n}  -> {"rate": r}       tokens per second of all streams together while all of them decode
import {createInterface} from "node:readline";
import {readFileSync} from "node:fs";
import {pathToFileURL} from "node:url";
import {join} from "node:path";

const [file, threads, positions, streams] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const entry = join(process.env.BENCH_MODULES, "node_modules", "node-llama-cpp", "dist", "index.js");
const {getLlama, LlamaLogLevel, TokenBias} = await import(pathToFileURL(entry));
const PROMPT_TOKENS = 16;

const now = () => Number(process.hrtime.bigint()) / 1e9;
const answer = (object) => process.stdout.write(JSON.stringify(object) + "\n");
const residentBytes = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;

const begin = now();
const llama = await getLlama({gpu: false, build: "never", progressLogs: false, logLevel: LlamaLogLevel.error, maxThreads: threads});
const model = await llama.loadModel({modelPath: file, gpuLayers: 0, useMmap: true, checkTensors: false});
const context = await model.createContext({sequences: streams, contextSize: positions, batchSize: Math.max(positions, streams), threads: {ideal: threads, min: threads}});
const sequences = Array.from({length: streams}, () => context.getSequence());
const vocabulary = model.fileInfo.metadata.tokenizer.ggml.tokens.length;
const noEnd = new TokenBias(model.tokenizer);
if (model.tokens.eos != null) noEnd.set(model.tokens.eos, "never");

// mulberry32 with the seed of the benchmark's own prompts
let state = 1;
function draw() {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const random = (count) => Array.from({length: count}, () => 300 + Math.floor(draw() * (vocabulary - 400)));

/** The times at which a sequence yields each of its tokens. */
async function generate(sequence, promptTokens, tokens) {
    await sequence.clearHistory();
    const times = [];
    const options = {temperature: 1, topK: 40, topP: 1, minP: 0, seed: Math.floor(draw() * 1e9), yieldEogToken: true, tokenBias: noEnd};
    for await (const token of sequence.evaluate(random(promptTokens), options)) {
        times.push(now());
        if (times.length === tokens) break;
    }
    if (times.length < tokens) throw new Error(`a stream ended after ${times.length} of ${tokens} tokens`);
    return times;
}

async function firstToken(tokens) {
    await sequences[0].clearHistory();
    const start = now();
    const times = await generate(sequences[0], tokens, 1);
    return {seconds: times[0] - start};
}

async function decode(count, tokens) {
    const all = await Promise.all(sequences.slice(0, count).map((sequence) => generate(sequence, PROMPT_TOKENS, tokens)));
    const start = Math.max(...all.map((times) => times[0]));
    const end = Math.min(...all.map((times) => times[tokens - 1]));
    const drawn = all.flat().filter((time) => time > start && time <= end).length;
    return {rate: drawn / (end - start)};
}

answer({loaded: now() - begin, residentBytes: residentBytes(), build: llama.llamaCppRelease?.release ?? "unknown"});
for await (const line of createInterface({input: process.stdin})) {
    const wish = JSON.parse(line);
    try {
        const result = wish.firstToken != null ? await firstToken(wish.firstToken) : await decode(wish.decode, wish.tokens);
        answer({...result, residentBytes: residentBytes()});
    } catch (failure) {
        answer({error: String(failure?.message ?? failure)});
    }
}
process.exit(0);
