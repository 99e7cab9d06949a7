"""Streamlit entry: page set-up, then the pages."""

import streamlit as st

from planner.ui.page import ICON, show

st.set_page_config(page_title="Planificador de cobertura", page_icon=ICON, layout="wide")
show()
