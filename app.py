"""Streamlit entry: page set-up, then the page."""

import streamlit as st

from planner.ui.page import show

st.set_page_config(page_title="Planificador de cobertura", layout="wide")
show()
