using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;
using System.Text;
using Postern.Agent.Model;

namespace Postern.Agent.Runtime;

/// <summary>Finds the documents of policies in their files, for people who ask what is in force.</summary>
internal static class PolicyTexts
{
    /// <param name="model">Read just now.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="known">Texts of policies that are in force though their file has become bad since.</param>
    public static IReadOnlyList<PolicyText> Of(NodeModel model, string folder, ConditionalWeakTable<PolicyObject, PolicyText> known)
    {
        var texts = new List<PolicyText>();
        foreach (var policy in model.Policies)
        {
            texts.Add(known.GetValue(policy, one => new PolicyText(one.Key.QualifiedName, one.Key.Kind, one.Source.ToString(), Document(Path.Combine(folder, one.Source.File), one.Source.Line))));
        }
        return texts;
    }

    private static string Document(string file, int firstLine)
    {
        try
        {
            var text = new StringBuilder();
            var number = 0;
            foreach (var line in File.ReadLines(file))
            {
                number++;
                var isMark = line.StartsWith("---", StringComparison.Ordinal);
                if (number > firstLine && isMark)
                {
                    break;
                }
                if (number >= firstLine && !isMark)
                {
                    text.Append(line).Append('\n');
                }
            }
            return text.ToString();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
