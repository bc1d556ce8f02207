"""Programmes, proposals, agreements and mentorships."""
