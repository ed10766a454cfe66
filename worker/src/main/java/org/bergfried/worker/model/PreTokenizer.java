package org.bergfried.worker.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// How a byte-level BPE cuts text before merging, by GGUF's name (`tokenizer.ggml.pre`). Patterns are Oniguruma's, as
/// in tokenizer.json, applied one after the other to the pieces of the one before.
///
/// @param ggufNames       its names.
/// @param patterns        of pieces to cut out; none means GPT-2's own, which ByteLevel has built in.
/// @param singleDigits    whether each digit is a piece.
/// @param composed        whether text is brought to Unicode's form NFC first.
/// @param wholeWordsFirst whether a piece that is a token as a whole is taken without merging.
record PreTokenizer(
        List<String> ggufNames,
        List<String> patterns,
        boolean singleDigits,
        boolean composed,
        boolean wholeWordsFirst) {
    private static final List<PreTokenizer> TABLE = List.of(
            plain("gpt-2", List.of()),
            // OLMoE: GPT-NeoX's.
            new PreTokenizer(List.of("olmo"), List.of(), false, true, false),
            // Granite 3: StarCoder's.
            digits("refact", List.of()),
            digits("starcoder", List.of()),
            new PreTokenizer(
                    List.of("deepseek-v3", "hunyuan-dense"),
                    List.of("\\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", Patterns.DEEPSEEK_V3),
                    false,
                    false,
                    false),
            // DeepSeek-LLM and DeepSeek-V2.
            digits(
                    "deepseek-llm",
                    List.of(
                            "[\r\n]",
                            "\\s?" + Patterns.CASED_LETTERS + "+",
                            "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
                            "\\s+$",
                            Patterns.EAST_ASIAN + "+")),
            digits("deepseek-coder", List.of("[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", Patterns.EAST_ASIAN + "+")),
            // Qwen2, Qwen2.5 and Qwen3, and R1's distillations of them.
            new PreTokenizer(
                    List.of("qwen2", "deepseek-r1-qwen"), List.of(Patterns.words("\\p{N}")), false, true, false),
            // Hunyuan-A13B: Qwen's pieces by tiktoken.
            new PreTokenizer(List.of("hunyuan"), List.of(Patterns.words("\\p{N}")), false, true, true),
            // Llama 3 and GLM-4.
            tiktoken(List.of("llama-bpe", "llama3", "llama-v3", "glm4", "chatglm-bpe"), Patterns.words("\\p{N}{1,3}")),
            // gpt-oss (o200k) and MiniMax-M2.
            tiktoken(
                    List.of("gpt-4o", "minimax-m2"),
                    Patterns.cased("", Patterns.CONTRACTION, "\\p{N}{1,3}", "[\\r\\n/]*")),
            // Mistral's Tekken.
            tiktoken(List.of("tekken"), Patterns.cased("", "", "\\p{N}", "[\\r\\n/]*")),
            // Kimi K2: Han characters are pieces of their own.
            tiktoken(
                    List.of("kimi-k2"),
                    "\\p{Han}+|" + Patterns.cased("&&[^\\p{Han}]", Patterns.CONTRACTION, "\\p{N}{1,3}", "[\\r\\n]*")));

    PreTokenizer {
        ggufNames = List.copyOf(ggufNames);
        patterns = List.copyOf(patterns);
    }

    private static PreTokenizer plain(String name, List<String> patterns) {
        return new PreTokenizer(List.of(name), patterns, false, false, false);
    }

    private static PreTokenizer digits(String name, List<String> patterns) {
        return new PreTokenizer(List.of(name), patterns, true, false, false);
    }

    /// One whose pieces are looked up whole before they are merged, as tiktoken does.
    private static PreTokenizer tiktoken(List<String> names, String pattern) {
        return new PreTokenizer(names, List.of(pattern), false, false, true);
    }

    /// The one with a name, or null.
    static @Nullable PreTokenizer named(String ggufName) {
        return TABLE.stream()
                .filter(pre -> pre.ggufNames.contains(ggufName))
                .findFirst()
                .orElse(null);
    }

    /// All names.
    static List<String> names() {
        return TABLE.stream().flatMap(pre -> pre.ggufNames.stream()).toList();
    }

    /// Patterns and classes of characters.
    private static final class Patterns {
        private static final String DEEPSEEK_V3 = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
                + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*"
                + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
        private static final String EAST_ASIAN = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]";

        /// The letters with case of the Unicode version that DeepSeek-LLM's tokenizer was made with.
        private static final String CASED_LETTERS = characterClass("41-5a 61-7a b5 c0-d6 d8-f6 f8-1ba 1bc-1bf 1c4-293"
                + " 295-2af 370-373 376 377 37b-37d 37f 386 388-38a 38c 38e-3a1 3a3-3f5 3f7-481 48a-52f 531-556"
                + " 10a0-10c5 13a0-13f5 13f8-13fd 1c90-1cba 1cbd-1cbf 1d00-1d2b 1d6b-1d77 1d79-1d9a 1e00-1f15"
                + " 1f18-1f1d 1f20-1f45 1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fbc 1fbe"
                + " 1fc2-1fc4 1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec 1ff2-1ff4 1ff6-1ffc 2102 2107 210a-2113 2115"
                + " 2119-211d 2124 2126 2128 212a-212d 212f-2134 2139 213c-213f 2145-2149 214e 2183 2184 2c00-2c7b"
                + " 2c7e-2ce4 2ceb-2cee 2cf2 2cf3 a640-a66d a680-a69b a722-a76f a771-a787 a78b-a78e ab70-abbf"
                + " fb00-fb06 fb13-fb17 ff21-ff3a ff41-ff5a 10400-1044f 104b0-104d3 104d8-104fb 10c80-10cb2"
                + " 10cc0-10cf2 118a0-118df 1e900-1e943");

        /// Words, numbers, punctuation and white space, with English contractions apart.
        private static String words(String numbers) {
            return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + numbers
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
        }

        private static final String CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";

        /// Words that begin a new piece where lower case is followed by upper case.
        ///
        /// @param but         what is taken out of the classes of letters.
        /// @param contraction at the end of a word.
        /// @param numbers     pieces of digits.
        /// @param lines       what may follow punctuation.
        private static String cased(String but, String contraction, String numbers, String lines) {
            String upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}" + but + "]";
            String lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}" + but + "]";
            String before = "[^\\r\\n\\p{L}\\p{N}]?";
            return before + upper + "*" + lower + "+" + contraction + "|" + before + upper + "+" + lower + "*"
                    + contraction + "|" + numbers + "| ?[^\\s\\p{L}\\p{N}]+" + lines
                    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
        }

        /// A class of the characters with these hexadecimal numbers.
        private static String characterClass(String ranges) {
            var text = new StringBuilder("[");
            for (String range : ranges.split(" ", -1)) {
                String[] ends = range.split("-", -1);
                text.appendCodePoint(Integer.parseInt(ends[0], 16));
                if (ends.length == 2) {
                    text.append('-').appendCodePoint(Integer.parseInt(ends[1], 16));
                }
            }
            return text.append(']').toString();
        }
    }
}
