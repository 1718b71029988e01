package dev.penstock.prompt.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchemaCompilerTest {
    /** Schemas in a short form: quotes are written as apostrophes. */
    private static String json(String text) {
        return text.replace('\'', '"');
    }

    private static boolean accepts(String schema, String text) {
        Automaton automaton = new Automaton(new Grammar(SchemaCompiler.compile(SchemaJudge.parse(schema))));
        Config at = automaton.start();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            at = automaton.after(at, b & 0xFF);
        }
        return at.accepts();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{} | {'a':[1,-0.5,1e10,'x\\n',null,true,{}]}",
                "true | 'é\\ud83d\\ude00'",
                "{'type':'integer'} | -120",
                "{'type':'integer','minimum':-5,'maximum':12} | -5",
                "{'type':'integer','minimum':-5,'maximum':12} | 12",
                "{'type':'integer','multipleOf':7} | 91",
                "{'type':'number','minimum':0,'maximum':1} | 0.125",
                "{'type':'number','minimum':0,'maximum':1} | 1.0",
                "{'type':'number','exclusiveMinimum':-1.5,'maximum':2.25} | -1.49",
                "{'type':'number','multipleOf':0.01} | 19.99",
                "{'type':'string','minLength':2,'maxLength':3} | 'é€'",
                "{'type':'string','pattern':'^[a-z]+$','maxLength':3} | 'abc'",
                "{'type':'string','pattern':'b'} | 'a\\'b\\\\'",
                "{'type':'string','format':'date'} | '2024-02-29'",
                "{'type':'string','format':'date-time'} | '2024-02-29T23:59:59.123+01:00'",
                "{'type':'string','format':'ipv6'} | '2001:db8::8a2e:370:7334'",
                "{'type':'string','format':'ipv6'} | '::ffff:192.0.2.1'",
                "{'type':'string','format':'uri'} | 'https://me@example.org:80/a%20b?q=1&r#top'",
                "{'type':'string','format':'uri'} | 'mailto:a@example.org'",
                "{'type':'string','format':'email'} | 'first.last+tag@mail.example.org'",
                "{'type':'string','format':'uuid'} | '123e4567-e89b-12d3-a456-426614174000'",
                "{'type':'string','format':'duration'} | 'P1Y2M3DT4H5M6S'",
                "{'enum':[1,'a',null,{'b':[1,2]}]} | {'b':[1,2]}",
                "{'const':'x'} | 'x'",
                "{'type':['string','null']} | null",
                "{'type':'object'} | {'a':{'b':[]}}",
                "{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'string'}},'required':['b']} | {'b':'x'}",
                "{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'string'}},'required':['b']} | {'a':1,'b':'x','c':0}",
                "{'type':'object','properties':{'a':{},'b':{},'c':{}},'additionalProperties':false,'minProperties':2} | {'a':1,'c':2}",
                "{'type':'object','additionalProperties':{'type':'integer'},'maxProperties':2} | {'q':1,'r':2}",
                "{'type':'object','patternProperties':{'^x_':{'type':'integer'}},'additionalProperties':false} | {'x_1':1}",
                "{'type':'object','propertyNames':{'pattern':'^[a-z]$'}} | {'a':1}",
                "{'type':'object','properties':{'a':{}},'dependentRequired':{'a':['b']}} | {'a':1,'b':2}",
                "{'type':'array','items':{'type':'integer'},'minItems':1,'maxItems':3} | [1,2,3]",
                "{'type':'array','prefixItems':[{'type':'integer'},{'type':'string'}],'items':false} | [1,'a']",
                "{'type':'array','items':{'enum':['a','b','c']},'uniqueItems':true} | ['c','a']",
                "{'type':'array','contains':{'const':1},'maxItems':3} | [0,1,2]",
                "{'anyOf':[{'type':'string'},{'type':'integer'}],'minimum':3} | 4",
                "{'oneOf':[{'type':'integer','multipleOf':3},{'type':'integer','maximum':5}]} | 9",
                "{'oneOf':[{'type':'object','properties':{'k':{'const':'a'}},'required':['k']},{'type':'object','properties':{'k':{'const':'b'}},'required':['k']}]} | {'k':'b'}",
                "{'allOf':[{'properties':{'a':{'minimum':2}}},{'properties':{'a':{'type':'integer'},'b':{}}}],'type':'object','required':['a']} | {'a':2,'b':3}",
                "{'$ref':'#/$defs/n','$defs':{'n':{'type':'object','properties':{'next':{'anyOf':[{'$ref':'#/$defs/n'},{'type':'null'}]}},'required':['next'],'additionalProperties':false}}} | {'next':{'next':null}}",
                "{'$defs':{'t':{'$anchor':'tree','type':'array','items':{'$ref':'#tree'}}},'$ref':'#tree'} | [[],[[]]]",
                "{'if':{'properties':{'k':{'const':1}},'required':['k']},'then':{'required':['b']},'type':'object','properties':{'k':{'type':'integer'},'b':{}}} | {'k':1,'b':0}",
                "{'if':{'properties':{'k':{'const':1}},'required':['k']},'then':{'required':['b']},'type':'object','properties':{'k':{'type':'integer'},'b':{}}} | {'k':2}",
                "{'type':'string','not':{'enum':['no']}} | 'nope'",
            })
    void validTextsAreAccepted(String shortSchema, String shortText) throws JsonProcessingException {
        String schema = json(shortSchema);
        // Apostrophes behind a backslash stay escaped quotes.
        String text = json(shortText);
        assertThat(new SchemaJudge(SchemaJudge.parse(schema)).errors(text)).isEmpty();
        assertThat(accepts(schema, text)).as("compact").isTrue();
        String pretty = SchemaJudge.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(SchemaJudge.parse(text));
        assertThat(accepts(schema, pretty)).as(pretty).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'type':'integer'} | 1.5",
                "{'type':'integer','minimum':-5,'maximum':12} | 13",
                "{'type':'integer','minimum':-5,'maximum':12} | -6",
                "{'type':'integer','multipleOf':7} | 92",
                "{'type':'number','minimum':0,'maximum':1} | 1.0001",
                "{'type':'number','exclusiveMinimum':-1.5,'maximum':2.25} | -1.5",
                "{'type':'number','multipleOf':0.01} | 19.999",
                "{'type':'string','minLength':2,'maxLength':3} | 'é'",
                "{'type':'string','pattern':'^[a-z]+$','maxLength':3} | 'abcd'",
                "{'type':'string','format':'date'} | '2023-02-29'",
                "{'type':'string','format':'ipv6'} | '1:2:3:4:5:6:7'",
                "{'enum':[1,'a',null]} | 2",
                "{'type':'object','properties':{'b':{}},'required':['b']} | {}",
                "{'type':'object','properties':{'a':{'type':'integer'}}} | {'a':'x'}",
                "{'type':'object','properties':{'a':{}},'additionalProperties':false} | {'b':1}",
                "{'type':'object','properties':{'a':{},'b':{},'c':{}},'additionalProperties':false,'minProperties':2} | {'c':2}",
                "{'type':'object','additionalProperties':{'type':'integer'},'maxProperties':2} | {'q':1,'r':2,'s':3}",
                "{'type':'object','propertyNames':{'pattern':'^[a-z]$'}} | {'ab':1}",
                "{'type':'object','properties':{'a':{}},'dependentRequired':{'a':['b']}} | {'a':1}",
                "{'type':'array','items':{'type':'integer'},'minItems':1,'maxItems':3} | []",
                "{'type':'array','prefixItems':[{'type':'integer'},{'type':'string'}],'items':false} | [1,'a',2]",
                "{'type':'array','items':{'enum':['a','b','c']},'uniqueItems':true} | ['a','a']",
                "{'type':'array','contains':{'const':1},'maxItems':3} | [0,2]",
                "{'oneOf':[{'type':'integer','multipleOf':3},{'type':'integer','maximum':5}]} | 3",
                "{'allOf':[{'properties':{'a':{'minimum':2}}},{'properties':{'a':{'type':'integer'}}}],'type':'object'} | {'a':1}",
                "{'if':{'properties':{'k':{'const':1}},'required':['k']},'then':{'required':['b']},'type':'object','properties':{'k':{'type':'integer'},'b':{}}} | {'k':1}",
                "{'type':'string','not':{'enum':['no']}} | 'no'",
            })
    void invalidTextsAreNotAccepted(String shortSchema, String text) {
        String schema = json(shortSchema);
        assertThat(new SchemaJudge(SchemaJudge.parse(schema)).errors(json(text)))
                .isNotEmpty();
        assertThat(accepts(schema, json(text))).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'properties':{'a':{'unevaluatedProperties':false}}} | unevaluatedProperties | #/properties/a",
                "{'type':'array','uniqueItems':true} | uniqueItems | #",
                "{'properties':{'a':{'frobnicate':1}}} | frobnicate | #/properties/a",
                "{'type':'string','format':'regex'} | format | #",
                "{'type':'text'} | type | #",
                "{'minimum':'1'} | minimum | #",
                "{'pattern':'(?=a)'} | pattern | #",
                "{'$ref':'http://example.org/x'} | $ref | #",
                "{'$ref':'#/$defs/x'} | $ref | #",
                "{'items':[{}]} | items | #",
                "{'oneOf':[{'type':'string','format':'date'},{'type':'string'}]} | oneOf | #",
                "{'allOf':[{'$ref':'#'}]} | leads to itself | #",
                "{'type':'object','required':['a'],'properties':{'a':false}} | nothing satisfies | #/properties/a",
                "{'type':'integer','minimum':3,'maximum':2} | nothing satisfies | #",
                "{'type':'object','minProperties':3} | minProperties | #",
                "{'properties':{'a':7}} | schema | #/properties/a",
            })
    void whatCannotBeHeldIsRefusedByName(String schema, String keyword, String place) {
        assertThatThrownBy(() -> accepts(json(schema), ""))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining(keyword)
                .hasMessageContaining(place);
    }

    @Test
    void recursionWithoutAnEndIsRefused() {
        String schema = json("{'type':'object','properties':{'a':{'$ref':'#'}},'required':['a']}");
        assertThatThrownBy(() -> accepts(schema, "")).isInstanceOf(ConstraintException.class);
    }

    @Test
    void hundredsOfLevelsAreHeldOrRefused() {
        String deep = "{'properties':{'a':".repeat(100) + "{'type':'integer'}" + "}}".repeat(100);
        assertThat(accepts(json(deep), json("{'a':".repeat(100) + "1" + "}".repeat(100))))
                .isTrue();
        String deeper = "{'properties':{'a':".repeat(300) + "{}" + "}}".repeat(300);
        assertThatThrownBy(() -> accepts(json(deeper), "")).isInstanceOf(ConstraintException.class);
    }

    @Test
    void hugeSchemasAreRefused() {
        StringBuilder schema = new StringBuilder("{'properties':{");
        for (int i = 0; i < 200_000; i++) {
            schema.append(i == 0 ? "" : ",")
                    .append("'property number ")
                    .append(i)
                    .append("':{'type':'string'}");
        }
        String huge = json(schema.append("}}").toString());
        assertThatThrownBy(() -> accepts(huge, ""))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("too large");
    }

    @Test
    void alternativesThatMultiplyAreRefused() {
        StringBuilder schema = new StringBuilder("{'allOf':[");
        for (int i = 0; i < 40; i++) {
            schema.append(i == 0 ? "" : ",")
                    .append("{'anyOf':[{'required':['a")
                    .append(i)
                    .append("']},{'required':['b")
                    .append(i)
                    .append("']}]}");
        }
        String many = json(schema.append("]}").toString());
        assertThatThrownBy(() -> accepts(many, ""))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("too complex");
    }
}
