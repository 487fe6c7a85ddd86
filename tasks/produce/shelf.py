"""The techniques that make prompts, by the names that a recipe's `produce` knows. A new one is a line here."""

from __future__ import annotations

from tasks.technique import Shelf

PRODUCE = Shelf(
    "produce",
    "produce",
    {
        "evol_instruct": "tasks.produce.evol_instruct:EvolInstruct",
        "wizard_coder": "tasks.produce.wizard_coder:WizardCoder",
        "wizard_math": "tasks.produce.wizard_math:WizardMath",
        "complex_instruct": "tasks.produce.complex_instruct:ComplexInstruct",
        "self_instruct": "tasks.produce.self_instruct:SelfInstruct",
        "alpaca": "tasks.produce.alpaca:Alpaca",
        "chinese_llama_alpaca": "tasks.produce.chinese_llama_alpaca:ChineseLlamaAlpaca",
        "rewrite_forms": "tasks.produce.rewrite_forms:RewriteForms",
        "round_trip": "tasks.produce.round_trip:RoundTrip",
        "translated": "tasks.produce.translated:Translated",
        "decompose": "tasks.produce.decompose:Decompose",
        "robust": "tasks.produce.robust:Robust",
        "documents": "tasks.produce.documents:Documents",
        "datasets": "tasks.produce.datasets:Datasets",
        "self_qa": "tasks.produce.self_qa:SelfQA",
        "backtranslation": "tasks.produce.backtranslation:Backtranslation",
        "dialogue": "tasks.produce.dialogue:Dialogue",
        "rag": "tasks.produce.rag:Rag",
        "rag_router": "tasks.produce.rag_router:RagRouter",
        "tool_use": "tasks.produce.tool_use:ToolUse",
        "long_context": "tasks.produce.long_context:LongContext",
        "multi_turn": "tasks.produce.multi_turn:MultiTurn",
    },
)
