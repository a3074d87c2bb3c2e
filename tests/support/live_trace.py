"""A trace of live drafts, taken in the page: which strength was asked for when, and which draft was painted when."""

from __future__ import annotations

TRACE = """() => {
    const [asked, painted, strengths] = [[], [], new Map()];
    Object.assign(window, { asked, painted });
    const [ask, address] = [window.fetch, URL.createObjectURL];
    window.fetch = async (url, request) => {
        if (!String(url).endsWith('/live')) return ask(url, request);
        const { strength } = JSON.parse(request.body).params;
        asked.push({ strength, at: performance.now() });
        const answer = await ask(url, request);
        const blob = answer.blob.bind(answer);
        answer.blob = async () => Object.assign(await blob(), { strength });
        return answer;
    };
    URL.createObjectURL = (blob) => {
        const src = address.call(URL, blob);
        strengths.set(src, blob.strength);
        return src;
    };
    new MutationObserver(() => {
        const strength = strengths.get(document.querySelector('.stage img.preview')?.src);
        if (strength === undefined || strength === painted.at(-1)?.strength) return;
        painted.push({ strength, at: performance.now() });
    }).observe(document.querySelector('#stage'), { subtree: true, childList: true, attributes: true });
}"""
"""Fills `asked` and `painted`, lists of `{strength, at}` with `at` in milliseconds on the page's clock."""
