package org.bergfried.router.chat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.bergfried.contract.ClusterException;
import org.bergfried.router.chat.template.RenderedPrompt;

/// Text to token ids and back, from a model's tokenizer.json. It may be used by several threads at once.
///
/// Only literal text of a template becomes special tokens; all other text is encoded by an instance that does not know
/// them, so nothing that a client writes can imitate one.
public final class Tokenizer {
    private final NativeTokenizer plain;
    // For parts of a text after the first; the same object unless the tokenizer treats them differently.
    private final NativeTokenizer plainLater;
    private final AddedTokenFinder finder;
    private final TokenBytes bytes;
    private final Map<String, Integer> ids;
    private final boolean addsLeadingSpace;
    private final Set<Integer> hidden = new HashSet<>();

    private Tokenizer(TokenizerFile file) {
        plain = new NativeTokenizer(file.plainForm(false));
        plainLater = file.prependsToFirstOnly() ? new NativeTokenizer(file.plainForm(true)) : plain;
        finder = new AddedTokenFinder(file.addedTokens());
        bytes = TokenBytes.of(file.vocabulary(), file.addedTokens(), file.isByteLevel());
        addsLeadingSpace = file.addsLeadingSpace();
        ids = new HashMap<>(file.vocabulary());
        for (AddedToken token : file.addedTokens()) {
            ids.put(token.content(), token.id());
            if (token.isHidden()) {
                hidden.add(token.id());
            }
        }
    }

    /// Reads a tokenizer.json.
    ///
    /// @throws ClusterException MODEL_UNSUPPORTED if it is broken or of a kind that is not known
    public static Tokenizer of(byte[] tokenizerJson) {
        return new Tokenizer(new TokenizerFile(tokenizerJson));
    }

    /// The ids of a text in which nothing is a special token.
    public int[] encode(String text) {
        return text.isEmpty() ? new int[0] : plain.encode(wellFormed(text));
    }

    /// The ids of a prompt: special tokens where the template wrote them, and the text between two of them, literal and
    /// data joined, as one string.
    public int[] encode(RenderedPrompt prompt) {
        String text = wellFormed(prompt.text());
        IdList result = new IdList();
        int at = 0;
        for (AddedTokenFinder.Found found : finder.find(text, literalEnds(prompt, text.length()))) {
            append(result, text, at, found.from());
            result.add(found.token().id());
            at = found.to();
        }
        append(result, text, at, text.length());
        return result.toArray();
    }

    private void append(IdList result, String text, int from, int to) {
        if (from < to) {
            result.addAll((from == 0 ? plain : plainLater).encode(text.substring(from, to)));
        }
    }

    private static int[] literalEnds(RenderedPrompt prompt, int length) {
        int[] ends = new int[length];
        int at = 0;
        for (RenderedPrompt.Piece piece : prompt.pieces()) {
            int end = at + piece.text().length();
            if (piece.literal()) {
                Arrays.fill(ends, at, end, end);
            }
            at = end;
        }
        return ends;
    }

    /// The text of ids that were encoded from a whole text, special tokens as they are written. The space that
    /// SentencePiece puts before a text is taken off again.
    public String decode(int[] tokens) {
        Detokenizer detokenizer = new Detokenizer();
        StringBuilder text = new StringBuilder();
        for (int id : tokens) {
            text.append(detokenizer.next(bytes.of(id)));
        }
        text.append(detokenizer.end());
        return addsLeadingSpace && !text.isEmpty() && text.charAt(0) == ' ' ? text.substring(1) : text.toString();
    }

    /// The bytes that a token stands for; none for an id without a token.
    public byte[] bytes(int id) {
        return bytes.of(id);
    }

    /// One more than the largest id that has a token. A model's vocabulary may be padded beyond it.
    public int vocabularySize() {
        return bytes.size();
    }

    /// The id of a token by its text (an added token) or by its form in the vocabulary.
    public OptionalInt id(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /// Whether a token belongs to the protocol between template and model, so that it never appears in text.
    public boolean isSpecial(int id) {
        return hidden.contains(id);
    }

    /// The ids of all special tokens.
    public List<Integer> specialIds() {
        return hidden.stream().sorted().toList();
    }

    /// Half a surrogate pair has no bytes in UTF-8; it becomes U+FFFD, one character for one, as decoders do.
    private static String wellFormed(String text) {
        StringBuilder repaired = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) {
                continue;
            }
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            repaired = repaired == null ? new StringBuilder(text) : repaired;
            repaired.setCharAt(i, '\ufffd');
        }
        return repaired == null ? text : repaired.toString();
    }
}
