using Postern.Policy.Config;

namespace Postern.Policy.Http;

/// <summary>The alternatives of one rule's <c>http_rules</c>. Shared by every rule, port and endpoint that holds an equal list.</summary>
internal sealed class HttpRuleSet
{
    private readonly HttpRule[] rules;

    public HttpRuleSet(EquatableList<HttpRuleConfig> config, HttpRule[] rules)
    {
        Config = config;
        this.rules = rules;
        foreach (var rule in rules)
        {
            HasHeaderMatches |= rule.HasHeaderMatches;
        }
    }

    public EquatableList<HttpRuleConfig> Config { get; }

    public bool HasHeaderMatches { get; }

    /// <summary>True when one alternative accepts. All run when there are header matches, for their effects.</summary>
    public bool Accepts(IHttpPolicyRequest request, ISecretSource secrets, HeaderMatchLog log)
    {
        if (HasHeaderMatches)
        {
            foreach (var rule in rules)
            {
                rule.MarkSecrets(log);
            }
        }
        var accepted = false;
        foreach (var rule in rules)
        {
            if (rule.Accepts(request, secrets, log))
            {
                accepted = true;
                if (!HasHeaderMatches)
                {
                    return true;
                }
            }
        }
        return accepted;
    }
}
