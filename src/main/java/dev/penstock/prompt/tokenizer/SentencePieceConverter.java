package dev.penstock.prompt.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.penstock.prompt.tokenizer.SentencePieceModel.ModelType;
import dev.penstock.prompt.tokenizer.SentencePieceModel.Piece;
import dev.penstock.prompt.tokenizer.SentencePieceModel.PieceType;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns a SentencePiece {@code tokenizer.model} of type BPE, as LLaMA 2, Mistral and Gemma have it, into the text of an
 * equal {@code tokenizer.json}, the way Hugging Face's converters do: a merge for each way of cutting a piece in two
 * pieces, ordered by the piece's score. The begin token is added before a text if the model has one.
 */
public final class SentencePieceConverter {
    private static final String SPACE = "▁";

    /** A way to make a piece of two; lengths in code points. */
    private record Merge(String left, String right, float score, int leftLength, int rightLength) {}

    private SentencePieceConverter() {}

    /**
     * Converts a file. The time grows with the number of pieces; the result may be kept.
     *
     * @throws IOException it can't be read, or is no SentencePiece model of type BPE; the message names the file and the
     *     cause
     */
    public static String toTokenizerJson(Path tokenizerModel) throws IOException {
        SentencePieceModel model = SentencePieceModel.read(tokenizerModel);
        try {
            return toTokenizerJson(model);
        } catch (IOException e) {
            throw new IOException(tokenizerModel + ": " + e.getMessage(), e);
        }
    }

    static String toTokenizerJson(SentencePieceModel model) throws IOException {
        if (model.type() != ModelType.BPE) {
            throw new IOException("SentencePiece models of type " + model.type()
                    + " are not converted, only BPE; a tokenizer.json beside it would be used");
        }
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("version", "1.0");
            json.writeNullField("truncation");
            json.writeNullField("padding");
            addedTokens(model, json);
            normalizer(model, json);
            json.writeNullField("pre_tokenizer");
            postProcessor(model, json);
            decoder(model, json);
            bpe(model, json);
            json.writeEndObject();
        }
        return text.toString();
    }

    private static void addedTokens(SentencePieceModel model, JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("added_tokens");
        for (int id = 0; id < model.pieces().size(); id++) {
            Piece piece = model.pieces().get(id);
            boolean special = piece.type() == PieceType.CONTROL || piece.type() == PieceType.UNKNOWN;
            if (!special && piece.type() != PieceType.USER_DEFINED) {
                continue;
            }
            json.writeStartObject();
            json.writeNumberField("id", id);
            json.writeStringField("content", piece.text());
            json.writeBooleanField("single_word", false);
            json.writeBooleanField("lstrip", false);
            json.writeBooleanField("rstrip", false);
            json.writeBooleanField("normalized", false);
            json.writeBooleanField("special", special);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void normalizer(SentencePieceModel model, JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("normalizer");
        json.writeStringField("type", "Sequence");
        json.writeArrayFieldStart("normalizers");
        if (model.charsMap().length > 0) {
            json.writeStartObject();
            json.writeStringField("type", "Precompiled");
            json.writeBinaryField("precompiled_charsmap", model.charsMap());
            json.writeEndObject();
        }
        if (model.removeExtraWhitespaces()) {
            json.writeStartObject();
            json.writeStringField("type", "Strip");
            json.writeBooleanField("strip_left", true);
            json.writeBooleanField("strip_right", true);
            json.writeEndObject();
            replace(json, "Regex", " {2,}", " ");
        }
        if (model.addDummyPrefix()) {
            json.writeStartObject();
            json.writeStringField("type", "Prepend");
            json.writeStringField("prepend", SPACE);
            json.writeEndObject();
        }
        replace(json, "String", " ", SPACE);
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void replace(JsonGenerator json, String kind, String pattern, String content) throws IOException {
        json.writeStartObject();
        json.writeStringField("type", "Replace");
        json.writeObjectFieldStart("pattern");
        json.writeStringField(kind, pattern);
        json.writeEndObject();
        json.writeStringField("content", content);
        json.writeEndObject();
    }

    private static void postProcessor(SentencePieceModel model, JsonGenerator json) throws IOException {
        int bos = begin(model);
        if (bos < 0) {
            json.writeNullField("post_processor");
            return;
        }
        json.writeObjectFieldStart("post_processor");
        json.writeStringField("type", "TemplateProcessing");
        json.writeArrayFieldStart("single");
        sequence(json, model.bosPiece(), "A", 0);
        json.writeEndArray();
        json.writeArrayFieldStart("pair");
        sequence(json, model.bosPiece(), "A", 0);
        sequence(json, model.bosPiece(), "B", 1);
        json.writeEndArray();
        json.writeObjectFieldStart("special_tokens");
        json.writeObjectFieldStart(model.bosPiece());
        json.writeStringField("id", model.bosPiece());
        json.writeArrayFieldStart("ids");
        json.writeNumber(bos);
        json.writeEndArray();
        json.writeArrayFieldStart("tokens");
        json.writeString(model.bosPiece());
        json.writeEndArray();
        json.writeEndObject();
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void sequence(JsonGenerator json, String bos, String id, int typeId) throws IOException {
        json.writeStartObject();
        json.writeObjectFieldStart("SpecialToken");
        json.writeStringField("id", bos);
        json.writeNumberField("type_id", typeId);
        json.writeEndObject();
        json.writeEndObject();
        json.writeStartObject();
        json.writeObjectFieldStart("Sequence");
        json.writeStringField("id", id);
        json.writeNumberField("type_id", typeId);
        json.writeEndObject();
        json.writeEndObject();
    }

    private static int begin(SentencePieceModel model) {
        for (int id = 0; id < model.pieces().size(); id++) {
            Piece piece = model.pieces().get(id);
            if (piece.type() == PieceType.CONTROL && piece.text().equals(model.bosPiece())) {
                return id;
            }
        }
        return -1;
    }

    private static void decoder(SentencePieceModel model, JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("decoder");
        json.writeStringField("type", "Sequence");
        json.writeArrayFieldStart("decoders");
        replace(json, "String", SPACE, " ");
        for (String type : new String[] {"ByteFallback", "Fuse"}) {
            json.writeStartObject();
            json.writeStringField("type", type);
            json.writeEndObject();
        }
        if (model.addDummyPrefix()) {
            json.writeStartObject();
            json.writeStringField("type", "Strip");
            json.writeStringField("content", " ");
            json.writeNumberField("start", 1);
            json.writeNumberField("stop", 0);
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void bpe(SentencePieceModel model, JsonGenerator json) throws IOException {
        Map<String, Integer> ids = HashMap.newHashMap(model.pieces().size());
        String unknown = null;
        for (int id = 0; id < model.pieces().size(); id++) {
            Piece piece = model.pieces().get(id);
            ids.put(piece.text(), id);
            unknown = piece.type() == PieceType.UNKNOWN ? piece.text() : unknown;
        }
        json.writeObjectFieldStart("model");
        json.writeStringField("type", "BPE");
        json.writeNullField("dropout");
        json.writeStringField("unk_token", unknown);
        json.writeNullField("continuing_subword_prefix");
        json.writeNullField("end_of_word_suffix");
        json.writeBooleanField("fuse_unk", true);
        json.writeBooleanField("byte_fallback", model.byteFallback());
        json.writeBooleanField("ignore_merges", false);
        json.writeObjectFieldStart("vocab");
        for (int id = 0; id < model.pieces().size(); id++) {
            json.writeNumberField(model.pieces().get(id).text(), id);
        }
        json.writeEndObject();
        json.writeArrayFieldStart("merges");
        for (Merge merge : merges(model, ids)) {
            json.writeStartArray();
            json.writeString(merge.left);
            json.writeString(merge.right);
            json.writeEndArray();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /**
     * All ways of making a piece of two, best score first, of equal ones the longest left part first. SentencePiece
     * itself never makes control, unknown, unused or byte pieces by merging.
     */
    private static List<Merge> merges(SentencePieceModel model, Map<String, Integer> ids) {
        List<Merge> merges = new ArrayList<>();
        for (Piece piece : model.pieces()) {
            if (piece.type() != PieceType.NORMAL && piece.type() != PieceType.USER_DEFINED) {
                continue;
            }
            String text = piece.text();
            int length = text.codePointCount(0, text.length());
            List<Merge> ofPiece = new ArrayList<>();
            int cut = 0;
            for (int left = 1; left < length; left++) {
                cut = text.offsetByCodePoints(cut, 1);
                String before = text.substring(0, cut);
                String behind = text.substring(cut);
                if (isMerged(model, ids.get(before)) && isMerged(model, ids.get(behind))) {
                    ofPiece.add(new Merge(before, behind, piece.score(), left, length - left));
                }
            }
            ofPiece.sort(Comparator.comparing((Merge m) -> ids.get(m.left)).thenComparing(m -> ids.get(m.right)));
            merges.addAll(ofPiece);
        }
        merges.sort(Comparator.comparingDouble((Merge m) -> m.score)
                .thenComparingInt(m -> m.leftLength)
                .thenComparingInt(m -> m.rightLength)
                .reversed());
        return merges;
    }

    private static boolean isMerged(SentencePieceModel model, @Nullable Integer id) {
        if (id == null) {
            return false;
        }
        PieceType type = model.pieces().get(id).type();
        return type == PieceType.NORMAL || type == PieceType.USER_DEFINED;
    }
}
