//! What becomes of the lines that servers send.

use super::*;

fn read(api: Api, lines: &[&str]) -> Generation {
    let mut answer = Answer::default();
    for line in lines {
        answer.take_line(api, line).unwrap();
    }
    answer.end_stream(api);
    answer.into_generation(api, 4)
}

#[test]
fn an_openai_stream() {
    let lines = [
        r#"data: {"choices":[{"text":"to be","finish_reason":null}]}"#,
        "",
        ": ping",
        r#"data: {"choices":[{"text":" able","finish_reason":"length"}]}"#,
        r#"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":4}}"#,
        "data: [DONE]",
    ];
    let generation = read(Api::Openai, &lines);
    assert_eq!((&*generation.text, generation.stop), ("to be able", Stop::MaxTokens));
    assert_eq!((generation.n_prompt_tokens, generation.n_tokens()), (Some(7), Some(4)));
    assert_eq!((generation.tokens, generation.doubt), (None, None));
    // The same without its end is not a short text but a cut one.
    assert_eq!(read(Api::Openai, &lines[..1]).stop, Stop::Cut);
}

#[test]
fn what_keeps_a_connection_open_says_nothing() {
    let mut answer = Answer::default();
    for (api, line) in [(Api::Openai, ""), (Api::Openai, ": ping"), (Api::Openai, "event: message"), (Api::Ollama, " ")]
    {
        assert_eq!(answer.take_line(api, line), Ok(Heard::Nothing), "{line:?}");
    }
    assert_eq!(answer, Answer::default());
}

#[test]
fn a_llama_server_stream_has_tokens_and_the_order() {
    let end = concat!(
        r#"data: {"content":"","tokens":[],"stop":true,"stop_type":"eos","tokens_evaluated":5,"#,
        r#""tokens_predicted":2,"generation_settings":{"samplers":["top_k","temperature"]}}"#
    );
    let lines = [
        r#"data: {"content":"a","tokens":[3],"stop":false}"#,
        r#"data: {"content":"b","tokens":[4],"stop":false}"#,
        end,
    ];
    let mut answer = Answer::default();
    for line in lines {
        assert_eq!(answer.take_line(Api::LlamaServer, line), Ok(Heard::Something));
    }
    assert_eq!(answer.samplers().unwrap(), ["top_k", "temperature"]);
    let generation = answer.into_generation(Api::LlamaServer, 4);
    assert_eq!((generation.n_tokens(), generation.stop), (Some(2), Stop::Eos));
    assert_eq!((generation.tokens, generation.doubt), (Some(vec![3, 4]), None));
}

#[test]
fn an_ollama_stream_that_ends_without_its_last_message_is_cut() {
    let piece = r#"{"response":" so","done":false}"#;
    let end = r#"{"response":"","done":true,"done_reason":"stop","prompt_eval_count":2,"eval_count":2}"#;
    assert_eq!(read(Api::Ollama, &[piece, piece, end]).stop, Stop::Eos);
    let cut = read(Api::Ollama, &[piece, piece]);
    assert_eq!((&*cut.text, cut.stop, cut.n_tokens()), (" so so", Stop::Cut, None));
}

#[test]
fn shimmy_sends_bare_pieces_and_says_not_why_it_stops() {
    let generation = read(Api::Shimmy, &["data: to", "", "data:  be", "", "data: [DONE]"]);
    assert_eq!((&*generation.text, generation.stop, generation.n_tokens()), ("to be", Stop::Unknown, Some(2)));
}

#[test]
fn lies_about_tokens_are_doubted() {
    let piece = r#"data: {"choices":[{"text":"a","finish_reason":null}]}"#;
    let end = |n: u32| format!(r#"data: {{"choices":[],"usage":{{"completion_tokens":{n}}}}}"#);
    let too_few = read(Api::Openai, &[piece, piece, &end(1), "data: [DONE]"]);
    assert_eq!((too_few.n_tokens(), &*too_few.doubt.unwrap()), (None, "the server reports 1 tokens but sent 2 pieces"));
    let too_many = read(Api::Openai, &[piece, &end(9), "data: [DONE]"]);
    assert_eq!((too_many.n_tokens(), &*too_many.doubt.unwrap()), (Some(9), "9 tokens, although only 4 were requested"));
}

#[test]
fn errors_and_foreign_answers_are_no_texts() {
    let mut answer = Answer::default();
    let reported = answer.take_line(Api::Openai, r#"data: {"error":{"message":"out of slots"}}"#);
    assert_eq!(reported, Err(Broken::Reported("out of slots".into())));
    assert!(matches!(answer.take_whole(Api::Shimmy, "<html>"), Err(Broken::Foreign { .. })));
    assert!(matches!(answer.take_whole(Api::Openai, r#"{"response":"a"}"#), Err(Broken::Foreign { .. })));
}

fn whole(api: Api, body: &str) -> Generation {
    let mut answer = Answer::default();
    answer.take_whole(api, body).unwrap();
    answer.into_generation(api, 4)
}

#[test]
fn a_thought_is_kept_apart_from_the_answer() {
    let piece = |delta: &str| format!(r#"data: {{"choices":[{{"delta":{delta},"finish_reason":null}}]}}"#);
    let lines = [
        piece(r#"{"role":"assistant","content":""}"#),
        piece(r#"{"content":null,"reasoning_content":"wait,"}"#),
        piece(r#"{"reasoning":" wait","content":null}"#),
        piece(r#"{"content":"Paris"}"#),
        r#"data: {"choices":[{"delta":{},"finish_reason":"length"}],"usage":{"completion_tokens":4}}"#.to_owned(),
    ];
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let generation = read(Api::Openai, &lines);
    assert_eq!((generation.thought.as_deref(), &*generation.text), (Some("wait, wait"), "Paris"));
    assert_eq!((generation.stop, generation.doubt), (Stop::MaxTokens, None));
    // The first piece of thought is the first piece.
    let mut answer = Answer::default();
    answer.take_line(Api::Openai, lines[0]).unwrap();
    assert!(!answer.has_text());
    answer.take_line(Api::Openai, lines[1]).unwrap();
    assert!(answer.has_text());

    let body = r#"{"choices":[{"message":{"content":null,"reasoning_content":"wait"},"finish_reason":"stop"}]}"#;
    assert_eq!(whole(Api::Openai, body).thought.as_deref(), Some("wait"));
    let body = r#"{"message":{"content":"so","thinking":"wait"},"done":true,"done_reason":"stop"}"#;
    let ollama = whole(Api::Ollama, body);
    assert_eq!((ollama.thought.as_deref(), &*ollama.text), (Some("wait"), "so"));
    let piece = r#"{"response":"","thinking":"wait","done":false}"#;
    assert_eq!(read(Api::Ollama, &[piece, piece]).thought.as_deref(), Some("waitwait"));
    // Where nothing was parted there is no thought, not an empty one.
    assert_eq!(read(Api::Openai, &[&*piece_of_text("a")]).thought, None);
}

fn piece_of_text(text: &str) -> String {
    format!(r#"data: {{"choices":[{{"text":"{text}","finish_reason":null}}]}}"#)
}

#[test]
fn pieces_of_thought_are_counted() {
    let piece = r#"data: {"choices":[{"delta":{"content":null,"reasoning":"hm"},"finish_reason":null}]}"#;
    let end = r#"data: {"choices":[],"usage":{"completion_tokens":1}}"#;
    let doubt = read(Api::Openai, &[piece, piece, end, "data: [DONE]"]).doubt;
    assert_eq!(doubt.as_deref(), Some("the server reports 1 tokens but sent 2 pieces"));
}

#[test]
fn calls_of_tools_are_text_of_the_answer() {
    let call = |function: &str| {
        format!(
            r#"data: {{"choices":[{{"delta":{{"tool_calls":[{{"index":0,"function":{function}}}]}},"finish_reason":null}}]}}"#
        )
    };
    let lines = [
        call(r#"{"name":"look","arguments":""}"#),
        call(r#"{"arguments":"{\"at\":"}"#),
        call(r#"{"arguments":"\"sea\"}"}"#),
        call(r#"{"name":"look","arguments":"{}"}"#),
        r#"data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#.to_owned(),
    ];
    let generation = read(Api::Openai, &lines.each_ref().map(|line| &**line));
    assert_eq!((&*generation.text, generation.stop), ("look {\"at\":\"sea\"}\nlook {}", Stop::Eos));
}

#[test]
fn words_that_are_not_understood_are_doubted_by_name() {
    let line =
        r#"data: {"choices":[{"delta":{"content":"a","ponderings":"b","annotations":[]},"finish_reason":null}]}"#;
    let doubt = read(Api::Openai, &[line, line]).doubt.unwrap();
    assert_eq!(doubt, "the response contains fields that moe-sweep does not know and has not kept: delta.ponderings");
    let line = r#"{"model":"m","created_at":"now","response":"a","context":[1,2],"done":false}"#;
    assert_eq!(read(Api::Ollama, &[line]).doubt, None);
    let line = r#"{"message":{"role":"assistant","content":"a","musing":"b"},"done":false}"#;
    assert!(read(Api::Ollama, &[line]).doubt.unwrap().ends_with("message.musing"));
}

#[test]
fn a_text_that_is_called_full_and_is_not_was_cut() {
    let ended = |usage: &str| {
        let end = format!(r#"data: {{"choices":[{{"text":"","finish_reason":"length"}}]{usage}}}"#);
        let generation = read(Api::Openai, &[&*piece_of_text("a"), &*piece_of_text("b"), &*end]);
        (generation.stop, generation.doubt)
    };
    let (stop, doubt) = ended(r#","usage":{"completion_tokens":2}"#);
    assert_eq!(stop, Stop::Cut);
    assert!(doubt.unwrap().contains("it has only 2 of 4 tokens: the context may have been too small"));
    assert_eq!(ended(r#","usage":{"completion_tokens":4}"#), (Stop::MaxTokens, None));
    // A count that is not known, or not believed, says nothing.
    assert_eq!(ended(""), (Stop::MaxTokens, None));
    assert_eq!(ended(r#","usage":{"completion_tokens":1}"#).0, Stop::MaxTokens);
    // The thought is counted beside the answer.
    let beside = r#","usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":9}"#;
    assert_eq!(ended(beside), (Stop::MaxTokens, None));
}

#[test]
fn a_llama_server_whose_context_was_too_small_cut_the_text() {
    let ended = |listed: &str, rest: &str| {
        let line = format!(
            r#"data: {{"content":"a","tokens":{listed},"stop":true,"stop_type":"limit","tokens_evaluated":3,{rest}}}"#
        );
        let generation = read(Api::LlamaServer, &[&line]);
        (generation.stop, generation.doubt.unwrap_or_default())
    };
    assert_eq!(ended("[1,2,3,4]", r#""tokens_predicted":4,"truncated":false"#), (Stop::MaxTokens, String::new()));
    let (stop, doubt) = ended("[1,2]", r#""tokens_predicted":2,"truncated":false"#);
    assert!(stop == Stop::Cut && doubt.contains("2 of 4 tokens"), "{doubt}");
    let (stop, doubt) = ended("[1,2,3,4]", r#""tokens_predicted":4,"truncated":true"#);
    assert!(stop == Stop::Cut && doubt.contains("its context was too small"), "{doubt}");
    // Tokens of half a character are counted and not listed.
    let (stop, doubt) = ended("[1,2,3]", r#""tokens_predicted":4"#);
    assert_eq!((stop, &*doubt), (Stop::MaxTokens, "the server reports 4 tokens but lists 3"));
}

#[test]
fn a_text_that_the_server_ended_for_its_repetition_is_kept() {
    let piece = r#"{"response":" so","done":false}"#;
    let error = r#"{"error":"prediction aborted, token repeat limit reached"}"#;
    let ended = read(Api::Ollama, &[piece, piece, error]);
    assert_eq!((&*ended.text, ended.stop, ended.doubt), (" so so", Stop::Repetition, None));
    for reason in ["repetition", "repetition_detected"] {
        let end = format!(r#"data: {{"choices":[{{"text":"","finish_reason":"{reason}"}}]}}"#);
        let ended = read(Api::Openai, &[&*piece_of_text("a"), &*end, "data: [DONE]"]);
        assert_eq!((&*ended.text, ended.stop), ("a", Stop::Repetition));
    }
    let end = r#"data: {"choices":[{"text":"","finish_reason":"stop","stop_reason":"repetition_detected"}]}"#;
    assert_eq!(read(Api::Openai, &[end]).stop, Stop::Repetition);
    // Where the text did not come, that is said.
    let none = Answer::ended_for_repetition("token repeat limit reached").into_generation(Api::Ollama, 4);
    assert_eq!((&*none.text, none.stop), ("", Stop::Repetition));
    assert!(none.doubt.unwrap().contains("sent none of it: token repeat limit reached"));
    assert_eq!(read(Api::Ollama, &[error]).doubt, Answer::ended_for_repetition(&error[10..error.len() - 2]).withheld);
}

#[test]
fn no_reason_is_no_reason() {
    let piece = r#"data: {"choices":[{"text":"a","finish_reason":""}]}"#;
    assert_eq!(read(Api::Openai, &[piece, piece, "data: [DONE]"]).stop, Stop::Unknown);
    // And without its last message it has not ended.
    assert_eq!(read(Api::Openai, &[piece, piece]).stop, Stop::Cut);
    let end = r#"data: {"content":"a","stop":true,"stop_type":"none"}"#;
    assert_eq!(read(Api::LlamaServer, &[end]).stop, Stop::Unknown);
    assert_eq!(read(Api::Ollama, &[r#"{"response":"a","done":true,"done_reason":""}"#]).stop, Stop::Unknown);
}

#[test]
fn an_event_may_have_several_lines_of_data() {
    let lines = [r#"data: {"choices":[{"text":"a","#, r#"data: "finish_reason":null}]}"#, "", "data: [DONE]", ""];
    assert_eq!(read(Api::Openai, &lines).text, "a");
    // Of Shimmy's pieces each line is text.
    assert_eq!(read(Api::Shimmy, &["data: a", "data:", "data: b", "", "data: [DONE]"]).text, "a\n\nb");
    let generation = read(Api::Shimmy, &["data:", "data:", "", "data: [DONE]"]);
    assert_eq!((&*generation.text, generation.n_tokens()), ("\n", Some(1)));
    // An event that has not ended is none; the text is cut off.
    assert_eq!(read(Api::Openai, &[&*piece_of_text("a"), r#"data: {"choices":[{"te"#]).text, "a");
    let mut answer = Answer::default();
    answer.take_line(Api::Openai, r#"data: {"choices":"#).unwrap();
    assert!(matches!(answer.take_line(Api::Openai, ""), Err(Broken::Foreign { .. })));
}

#[test]
fn halves_of_a_character_are_joined_over_pieces() {
    let generation = read(Api::Openai, &[&*piece_of_text(" smile \\ud83d"), &*piece_of_text("\\ude00 done \\ud83d")]);
    assert_eq!(generation.text, " smile 😀 done \u{FFFD}");
}
