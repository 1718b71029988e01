package dev.penstock.prompt.tokenizer;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What is in a {@code tokenizer.model}, as SentencePiece's {@code sentencepiece_model.proto} describes it; fields that
 * encoding does not need are skipped.
 *
 * @param pieces by id
 * @param type how it was trained
 * @param byteFallback whether unknown characters are spelt in bytes
 * @param bosPiece name of the begin piece
 * @param charsMap compiled character normalization, empty for none
 * @param addDummyPrefix whether a space is put before a text
 * @param removeExtraWhitespaces whether runs of spaces become one
 */
record SentencePieceModel(
        List<Piece> pieces,
        ModelType type,
        boolean byteFallback,
        String bosPiece,
        byte[] charsMap,
        boolean addDummyPrefix,
        boolean removeExtraWhitespaces) {
    /** The largest known files have 5 MB. */
    private static final long MAX_FILE_BYTES = 64L << 20;

    /** Longest piece; trainers make 16 characters by default. */
    private static final int MAX_PIECE_CHARS = 256;

    record Piece(String text, float score, PieceType type) {}

    /** Numbered as in the proto, from 1. */
    enum PieceType {
        NORMAL,
        UNKNOWN,
        CONTROL,
        USER_DEFINED,
        UNUSED,
        BYTE
    }

    /** Numbered as in the proto, from 1. */
    enum ModelType {
        UNIGRAM,
        BPE,
        WORD,
        CHAR
    }

    /**
     * Reads a file.
     *
     * @throws IOException it can't be read, is too large or is no such model; the message names the file and the cause
     */
    static SentencePieceModel read(Path file) throws IOException {
        long size = Files.size(file);
        if (size > MAX_FILE_BYTES) {
            throw new IOException(file + ": has " + size + " bytes; a SentencePiece model of more than "
                    + MAX_FILE_BYTES + " is not loaded");
        }
        try {
            return parse(Files.readAllBytes(file));
        } catch (InvalidProtocolBufferException e) {
            throw new IOException(file + ": not a SentencePiece model: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    static SentencePieceModel parse(byte[] proto) throws IOException {
        Builder builder = new Builder();
        CodedInputStream in = CodedInputStream.newInstance(proto);
        builder.message(in, Builder::modelField);
        return builder.build();
    }

    private static final class Builder {
        private final List<Piece> pieces = new ArrayList<>();
        private final Set<String> texts = new HashSet<>();
        private ModelType type = ModelType.UNIGRAM;
        private boolean byteFallback;
        private String bosPiece = "<s>";
        private byte[] charsMap = {};
        private boolean addDummyPrefix = true;
        private boolean removeExtraWhitespaces = true;
        private String text = "";
        private float score;
        private PieceType pieceType = PieceType.NORMAL;

        private interface Field {
            /** Reads a field that is known; false leaves it to be skipped. */
            boolean read(Builder builder, CodedInputStream in, int tag) throws IOException;
        }

        void message(CodedInputStream in, Field field) throws IOException {
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                if (!field.read(this, in, tag)) {
                    in.skipField(tag);
                }
            }
        }

        private void nested(CodedInputStream in, Field field) throws IOException {
            int limit = in.pushLimit(in.readRawVarint32());
            message(in, field);
            in.popLimit(limit);
        }

        boolean modelField(CodedInputStream in, int tag) throws IOException {
            if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
                return false;
            }
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 1 -> {
                    text = "";
                    score = 0;
                    pieceType = PieceType.NORMAL;
                    nested(in, Builder::pieceField);
                    addPiece();
                }
                case 2 -> nested(in, Builder::trainerField);
                case 3 -> nested(in, Builder::normalizerField);
                default -> {
                    return false;
                }
            }
            return true;
        }

        private boolean pieceField(CodedInputStream in, int tag) throws IOException {
            switch (tag) {
                case 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> text = in.readStringRequireUtf8();
                case 2 << 3 | WireFormat.WIRETYPE_FIXED32 -> score = in.readFloat();
                case 3 << 3 | WireFormat.WIRETYPE_VARINT -> pieceType = one(PieceType.values(), in.readEnum());
                default -> {
                    return false;
                }
            }
            return true;
        }

        private boolean trainerField(CodedInputStream in, int tag) throws IOException {
            switch (tag) {
                case 3 << 3 | WireFormat.WIRETYPE_VARINT -> type = one(ModelType.values(), in.readEnum());
                case 35 << 3 | WireFormat.WIRETYPE_VARINT -> byteFallback = in.readBool();
                case 46 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> bosPiece = in.readStringRequireUtf8();
                default -> {
                    return false;
                }
            }
            return true;
        }

        private boolean normalizerField(CodedInputStream in, int tag) throws IOException {
            switch (tag) {
                case 2 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> charsMap = in.readByteArray();
                case 3 << 3 | WireFormat.WIRETYPE_VARINT -> addDummyPrefix = in.readBool();
                case 4 << 3 | WireFormat.WIRETYPE_VARINT -> removeExtraWhitespaces = in.readBool();
                default -> {
                    return false;
                }
            }
            return true;
        }

        private static <E> E one(E[] values, int number) throws IOException {
            if (number < 1 || number > values.length) {
                throw new IOException("it has a type numbered " + number + ", which is not known");
            }
            return values[number - 1];
        }

        private void addPiece() throws IOException {
            int id = pieces.size();
            if (text.isEmpty() || text.length() > MAX_PIECE_CHARS) {
                throw new IOException(
                        "piece " + id + " has " + text.length() + " characters, not 1 to " + MAX_PIECE_CHARS);
            }
            if (!Float.isFinite(score)) {
                throw new IOException("piece " + id + " has the score " + score);
            }
            if (!texts.add(text)) {
                throw new IOException("piece " + id + " is there twice");
            }
            if (id > Vocabulary.MAX_ID) {
                throw new IOException("it has more than " + Vocabulary.MAX_ID + " pieces");
            }
            pieces.add(new Piece(text, score, pieceType));
        }

        SentencePieceModel build() throws IOException {
            if (pieces.isEmpty()) {
                throw new IOException("not a SentencePiece model: it has no pieces");
            }
            return new SentencePieceModel(
                    List.copyOf(pieces),
                    type,
                    byteFallback,
                    bosPiece,
                    charsMap,
                    addDummyPrefix,
                    removeExtraWhitespaces);
        }
    }
}
