"""The look of all pages: a theme for Gradio's components, and the style sheets and scripts beside this file.

It knows colours by name only; their values, light and dark, stand in `base.css`.
"""

from pathlib import Path

import gradio as gr

SANS = (
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Noto Sans",
    "Liberation Sans",
    "Helvetica",
    "Arial",
    "sans-serif",
)
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")
FOLDER = Path(__file__).parent

TOKENS = {
    "body_background_fill": "var(--q-paper)",
    "body_text_color": "var(--q-ink)",
    "body_text_color_subdued": "var(--q-ink-soft)",
    "background_fill_primary": "var(--q-surface)",
    "background_fill_secondary": "var(--q-sunken)",
    "border_color_primary": "var(--q-line)",
    "border_color_accent": "var(--q-accent)",
    "border_color_accent_subdued": "var(--q-line-strong)",
    "color_accent": "var(--q-accent)",
    "color_accent_soft": "var(--q-accent-soft)",
    "link_text_color": "var(--q-accent)",
    "link_text_color_hover": "var(--q-ink)",
    "link_text_color_active": "var(--q-accent)",
    "link_text_color_visited": "var(--q-accent)",
    "code_background_fill": "var(--q-sunken)",
    "block_background_fill": "var(--q-surface)",
    "block_border_color": "var(--q-line)",
    "block_info_text_color": "var(--q-ink-soft)",
    "block_label_background_fill": "transparent",
    "block_label_border_color": "transparent",
    "block_label_text_color": "var(--q-ink-soft)",
    "block_title_text_color": "var(--q-ink)",
    "panel_background_fill": "transparent",
    "panel_border_color": "var(--q-line)",
    "accordion_text_color": "var(--q-ink)",
    "table_text_color": "var(--q-ink)",
    "table_border_color": "var(--q-line)",
    "table_even_background_fill": "var(--q-surface)",
    "table_odd_background_fill": "var(--q-surface)",
    "table_row_focus": "var(--q-accent-soft)",
    "checkbox_background_color": "var(--q-surface)",
    "checkbox_background_color_focus": "var(--q-surface)",
    "checkbox_background_color_hover": "var(--q-surface)",
    "checkbox_background_color_selected": "var(--q-accent)",
    "checkbox_border_color": "var(--q-line-strong)",
    "checkbox_border_color_focus": "var(--q-accent)",
    "checkbox_border_color_hover": "var(--q-accent)",
    "checkbox_border_color_selected": "var(--q-accent)",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_hover": "var(--q-sunken)",
    "checkbox_label_background_fill_selected": "var(--q-accent-soft)",
    "checkbox_label_border_color": "var(--q-line)",
    "checkbox_label_border_color_hover": "var(--q-line-strong)",
    "checkbox_label_text_color": "var(--q-ink)",
    "checkbox_label_text_color_selected": "var(--q-ink)",
    "error_background_fill": "var(--q-alert-soft)",
    "error_border_color": "var(--q-alert)",
    "error_text_color": "var(--q-alert)",
    "error_icon_color": "var(--q-alert)",
    "input_background_fill": "var(--q-surface)",
    "input_background_fill_focus": "var(--q-surface)",
    "input_background_fill_hover": "var(--q-surface)",
    "input_border_color": "var(--q-line-strong)",
    "input_border_color_focus": "var(--q-accent)",
    "input_border_color_hover": "var(--q-ink-faint)",
    "input_placeholder_color": "var(--q-ink-faint)",
    "loader_color": "var(--q-accent)",
    "slider_color": "var(--q-accent)",
    "stat_background_fill": "var(--q-accent-soft)",
    "button_primary_background_fill": "var(--q-accent)",
    "button_primary_background_fill_hover": "var(--q-accent-strong)",
    "button_primary_border_color": "transparent",
    "button_primary_border_color_hover": "transparent",
    "button_primary_text_color": "var(--q-on-accent)",
    "button_primary_text_color_hover": "var(--q-on-accent)",
    "button_secondary_background_fill": "var(--q-surface)",
    "button_secondary_background_fill_hover": "var(--q-sunken)",
    "button_secondary_border_color": "var(--q-line-strong)",
    "button_secondary_border_color_hover": "var(--q-ink-faint)",
    "button_secondary_text_color": "var(--q-ink)",
    "button_secondary_text_color_hover": "var(--q-ink)",
    "button_cancel_background_fill": "var(--q-surface)",
    "button_cancel_background_fill_hover": "var(--q-alert-soft)",
    "button_cancel_border_color": "var(--q-alert)",
    "button_cancel_border_color_hover": "var(--q-alert)",
    "button_cancel_text_color": "var(--q-alert)",
    "button_cancel_text_color_hover": "var(--q-alert)",
}
"""Gradio's colours as ours; each is set for light and dark alike, since ours change by themselves."""

SHAPES = {
    "block_border_width": "1px",
    "block_label_text_size": "13px",
    "block_label_text_weight": "600",
    "block_padding": "16px",
    "block_radius": "12px",
    "block_shadow": "none",
    "block_title_text_size": "14px",
    "block_title_text_weight": "600",
    "body_text_size": "15px",
    "button_border_width": "1px",
    "button_large_padding": "10px 18px",
    "button_large_radius": "10px",
    "button_large_text_size": "15px",
    "button_large_text_weight": "600",
    "button_medium_padding": "8px 14px",
    "button_medium_radius": "9px",
    "button_medium_text_size": "14px",
    "button_medium_text_weight": "600",
    "button_primary_shadow": "none",
    "button_secondary_shadow": "none",
    "button_small_padding": "6px 12px",
    "button_small_radius": "8px",
    "button_small_text_size": "13px",
    "button_small_text_weight": "600",
    "checkbox_label_shadow": "none",
    "container_radius": "12px",
    "form_gap_width": "0px",
    "input_border_width": "1px",
    "input_padding": "10px 12px",
    "input_radius": "10px",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "input_text_size": "15px",
    "layout_gap": "16px",
    "section_header_text_size": "15px",
}


def theme() -> gr.themes.Base:
    """The theme of Gradio's own components."""
    base = gr.themes.Base(font=SANS, font_mono=MONO)
    dark = {f"{name}_dark": value for name, value in TOKENS.items() if hasattr(base, f"{name}_dark")}
    return base.set(**TOKENS, **dark, **SHAPES)


ICON = '<link rel="icon" href="favicon.ico">'
"""By a relative address, also below a proxy's path; without it browsers ask at the root."""


def head() -> str:
    """What stands in each page's head: the icon, and every style sheet and script of this folder, by name."""
    styles = [f"<style>\n{path.read_text(encoding='utf-8')}</style>" for path in sorted(FOLDER.glob("*.css"))]
    scripts = [
        f"<script>\n{path.read_text(encoding='utf-8')}</script>" for path in sorted(FOLDER.glob("*.js"))
    ]
    return "\n".join([ICON, *styles, *scripts])
